"""What runs by the clock, in one table. A programme's day ends at its own midnight, so what follows days runs hourly."""

from typing import Any

from celery.schedules import crontab, schedule

HOUR = 3600


def _every(task: str, seconds: int) -> dict[str, Any]:
    # A run that waited longer than its interval has been overtaken by the next.
    return {"task": task, "schedule": schedule(seconds), "options": {"expires": seconds}}


def _hourly(task: str, minute: int) -> dict[str, Any]:
    return {"task": task, "schedule": crontab(minute=minute), "options": {"expires": HOUR}}


def _nightly(task: str, hour: int, minute: int) -> dict[str, Any]:
    return {"task": task, "schedule": crontab(hour=hour, minute=minute), "options": {"expires": 12 * HOUR}}


SCHEDULE = {
    "send promised work again": _every("apps.core.tasks.send_overdue", 60),
    "go on with imports": _every("apps.rules.tasks.go_on_with_imports", 60),
    "go on with files of members": _every("apps.members.tasks.go_on_with_member_imports", 60),
    "mail what was not mailed": _every("apps.orgs.tasks.mail_due_notices", 60),
    "go on where a deadline has passed": _every("apps.approvals.tasks.escalate_due", 60),
    "remind who is asked": _every("apps.approvals.tasks.remind_due", 60),
    "ask others for who left": _every("apps.approvals.tasks.replace_absent", 60),
    "give holds back": _every("apps.points.tasks.void_lapsed_holds", 60),
    "fold the ledger into facts": _every("apps.reports.tasks.fold_facts", 60),
    "tell what friends did": _every("apps.rules.tasks.tell_friends", 15),
    "bring tags and segments up to date": _every("apps.segments.tasks.refresh_due", 300),
    "send the daily e-mails": _hourly("apps.approvals.tasks.send_digests", 1),
    "release pending points": _hourly("apps.points.tasks.release_pending", 2),
    "expire points": _hourly("apps.points.tasks.expire_points", 7),
    "forget rows of old files": _hourly("apps.members.tasks.forget_rows_of_old_files", 10),
    "tell the new day": _hourly("apps.rules.tasks.tell_days", 12),
    "review roles": {
        "task": "apps.orgs.tasks.open_reviews_of_roles",
        "schedule": crontab(hour=1, minute=0, day_of_month=1, month_of_year="1,4,7,10"),
        "options": {"expires": 24 * HOUR},
    },
    "measure the quality of data": _nightly("apps.members.tasks.measure_all_quality", 18, 10),
    "find duplicates": _nightly("apps.members.tasks.find_duplicates_tonight", 18, 30),
    "check the ledger": _nightly("apps.reports.tasks.check_ledger", 19, 30),
}
