"""Which requests have to be looked at again because of their people, found in one statement.

A task remembers whether its person was absent when last looked at, so that what did not change is not found.
"""

from django.db import connection

_CHANGED = """
WITH held AS MATERIALIZED (
    SELECT held.user_id, substr(permission.codename, 6) AS role, place.path
    FROM guardian_userobjectpermission held
    JOIN auth_permission permission ON permission.id = held.permission_id AND starts_with(permission.codename, 'role_')
    JOIN django_content_type content ON content.id = held.content_type_id
    JOIN orgs_orgunit place ON place.id = held.object_pk::bigint
    WHERE content.app_label = 'orgs' AND content.model = 'orgunit'
),
waiting AS (
    SELECT request.id, request.requester_id, request.excluded, request.round, step.id AS step_id, step.definition, step.lacks_people,
        unit.path
    FROM approvals_approvalrequest request
    JOIN approvals_approvalstep step
        ON step.request_id = request.id AND step.round = request.round AND step.number = request.step
    JOIN orgs_orgunit unit ON unit.id = request.unit_id
    WHERE request.state = 'open'
),
asked AS (
    SELECT waiting.id, waiting.path, task.id AS task_id, task.role, task.is_absent, task.person_id, person.is_active
    FROM waiting
    JOIN approvals_approvaltask task ON task.step_id = waiting.step_id AND task.is_open AND NOT task.is_off
    JOIN orgs_staff person ON person.id = task.person_id
),
holding AS (
    SELECT DISTINCT asked.task_id
    FROM asked JOIN held ON held.user_id = asked.person_id AND held.role = asked.role
    WHERE starts_with(asked.path, held.path)
),
could_be AS (
    SELECT waiting.id, waiting.requester_id, waiting.excluded, waiting.round, waiting.step_id, party.number - 1 AS party, somebody.id AS person_id
    FROM waiting
    CROSS JOIN LATERAL jsonb_array_elements(waiting.definition -> 'parties') WITH ORDINALITY party (said, number)
    CROSS JOIN LATERAL (
        SELECT held.user_id AS id FROM held
        WHERE held.role = party.said -> 'who' ->> 'role' AND starts_with(waiting.path, held.path)
        UNION
        SELECT id FROM orgs_staff WHERE username = party.said -> 'who' ->> 'person'
        UNION
        SELECT manager_id FROM orgs_staff
        WHERE id = waiting.requester_id AND party.said -> 'who' ->> 'kind' = 'manager'
    ) somebody
    WHERE waiting.lacks_people
)
SELECT asked.id
FROM asked LEFT JOIN holding USING (task_id)
WHERE asked.is_absent <> (NOT asked.is_active OR (asked.role <> '' AND holding.task_id IS NULL))
UNION
SELECT could_be.id
FROM could_be JOIN orgs_staff person ON person.id = could_be.person_id AND person.is_active
WHERE person.id IS DISTINCT FROM could_be.requester_id AND NOT could_be.excluded @> to_jsonb(person.id)
    AND NOT EXISTS (
        SELECT FROM approvals_approvaltask task
        WHERE task.step_id = could_be.step_id AND task.party = could_be.party AND task.person_id = person.id
    )
    AND NOT EXISTS (
        SELECT FROM approvals_decision decision
        WHERE decision.request_id = could_be.id AND decision.round = could_be.round
            AND person.id IN (decision.person_id, decision.hat_id)
    )
ORDER BY 1 LIMIT %s
"""


def requests_with_other_people(most: int) -> list[int]:
    """Open requests of which somebody who is asked left, lost the role or came back since they were last looked at; and
    those that lack people although there is somebody who could be asked. The first `most` by number."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, [most])
        return [pk for (pk,) in cursor.fetchall()]
