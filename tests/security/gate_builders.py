"""For each kind of subject: one of it, and the verb that does it, called as a door would."""

import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from apps.approvals.services import policies
from apps.approvals.services.policies import PolicyPublication, PolicySwitch
from apps.members import services as members
from apps.members.importing import services as importing
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.taking import TakingBack, TakingIn
from apps.members.merging import services as merging
from apps.members.models import Member, MemberImport
from apps.members.privacy.erasing import MemberErasure, erase
from apps.members.services.looking import PersonalLook
from apps.orgs import services as orgs
from apps.orgs.gate import Subject
from apps.points.services.adjusting import Adjustment, adjust
from apps.points.services.batches import BulkAdjustment, post_batch, stage_batch, subject_of
from apps.points.services.reversing import Reversal, reverse
from apps.points.services.types import PointTypeTerms, change_point_type, terms_of
from apps.rules import services as rules
from apps.rules.bringing_in import ProgramImport, import_document, import_of
from apps.rules.codes import services as rules_codes
from apps.rules.codes.services import CodeDays, CodeMaking, making_of, start_making
from apps.rules.exchange import exported, read
from apps.rules.holding import HeldVerdict, decide_held
from apps.rules.models import HeldEvent
from apps.rules.publishing import Publication, publication_of
from apps.rules.retiring import Retirement
from apps.segments.services.defining import TagChange, change_tag, create_tag
from apps.segments.services.scoring import RfmWindow, set_up
from tests.approvals.conftest import Desk
from tests.rules.codes import drafted
from tests.rules.conftest import make_till, publish, purchase
from tests.rules.test_holding import HOLD, LARGE, NOW
from tests.rules.test_services import DOUBLE, WHEN, draft, published
from tests.segments.conftest import REGULAR

Built = tuple[Subject, Callable[[], Any]]


def member_of(desk: Desk) -> Member:
    return members.create_member(
        None, desk.group["S001"], identifiers=[("card", "C77")], joined_on=date(2026, 1, 5), when=desk.when
    )


def adjustment(desk: Desk) -> Built:
    member, kind = member_of(desk), desk.group.point_types["east"]
    told: Any = {"reason": "goodwill", "key": "one", "when": desk.when}
    subject = Adjustment(member=member.pk, point_type=kind.pk, points=5)
    return subject, lambda: adjust(desk.cast["service"], member.pk, kind.pk, 5, **told)


def reversal(desk: Desk) -> Built:
    member, kind = member_of(desk), desk.group.point_types["east"]
    posting = adjust(None, member.pk, kind.pk, 5, reason="goodwill", key="one", when=desk.when)
    told: Any = {"reason": "by mistake", "key": "two", "when": desk.when + timedelta(hours=1)}
    return Reversal(posting=posting.pk, points=5), lambda: reverse(desk.cast["service"], posting.pk, **told)


def bulk(desk: Desk) -> Built:
    member_of(desk)
    batch = stage_batch(
        None, io.BytesIO(b"member,points,note\nC77,300,opening\n"), "many.csv", desk.group.east, when=desk.when
    )
    told: Any = {"reason": "opening", "key": "one", "when": desk.when}
    return subject_of(batch), lambda: post_batch(desk.cast["service"], batch.pk, **told)


def point_type_terms(desk: Desk) -> Built:
    kind = desk.group.point_types["east"]
    values: Any = {"unit_cost_micros": 20_000}
    subject = PointTypeTerms(point_type=kind.pk, **terms_of(kind, **values))
    return subject, lambda: change_point_type(kind, actor=desk.cast["marketing"], when=desk.when, **values)


def role_change(desk: Desk) -> Built:
    shop, unit = desk.cast.shop, desk.group["S001"]
    subject = orgs.RoleChange(person=shop.pk, role="service", unit=unit.pk)
    return subject, lambda: orgs.grant_role(desk.cast["administrator"], shop, "service", unit, when=desk.when)


def client_access(desk: Desk) -> Built:
    told: Any = {"code": "till", "name": "Till", "scopes": ["events:write"], "when": desk.when}
    unit = desk.group["EAST"]
    subject = orgs.ClientAccess(name="Till", client_code="till", unit=unit.pk, scopes=("events:write",))
    return subject, lambda: orgs.create_api_client(unit, **told, actor=desk.cast["integrator"])


def personal_look(desk: Desk) -> Built:
    member = member_of(desk)
    subject = PersonalLook(member=member.pk)
    return subject, lambda: members.reveal(desk.cast["service"], member.pk, reason="call", when=desk.when)


def erasure(desk: Desk) -> Built:
    member = member_of(desk)
    subject = MemberErasure(member=member.pk, why="asked")
    return subject, lambda: erase(desk.cast["service"], member.pk, why="asked", when=desk.when)


def two_members(desk: Desk) -> tuple[Member, Member]:
    other = members.create_member(None, desk.group["S002"], identifiers=[("card", "C78")], when=desk.when)
    return member_of(desk), other


def members_merged(desk: Desk) -> Built:
    kept, gone = two_members(desk)
    told: Any = {"reason": "one person", "when": desk.when}
    subject = merging.MembersMerged(kept=kept.pk, gone=gone.pk)
    return subject, lambda: merging.merge(desk.cast["regional_manager"], kept.pk, gone.pk, **told)


def merge_undone(desk: Desk) -> Built:
    kept, gone = two_members(desk)
    made = merging.merge(None, kept.pk, gone.pk, reason="one person", when=desk.when)
    told: Any = {"reason": "two people", "when": desk.when}
    subject = merging.MergeUndone(merge=made.pk)
    return subject, lambda: merging.unmerge(desk.cast["regional_manager"], made.pk, **told)


def program_terms(desk: Desk) -> Built:
    east, by = desk.group.east, desk.cast["administrator"]
    return orgs.terms_of(east, allows_debt=False), lambda: orgs.change_program(
        east, actor=by, when=desk.when, allows_debt=False
    )


def special_day(desk: Desk) -> Built:
    day = orgs.create_special_day(desk.group.east, code="eighth", name="Eighth", days={"kind": "each_month", "day": 8})
    daily = {"kind": "on_dates", "ranges": [{"first": "2026-01-01", "last": "2026-12-31"}]}
    by = desk.cast["marketing"]
    return orgs.days_wanted(day, daily), lambda: orgs.change_special_day(
        day, name="Eighth", days=daily, actor=by, when=desk.when
    )


LEGACY = b"card,phone,name,points\nC901,13812345678,Ann,20\n"


def checked_file(desk: Desk) -> MemberImport:
    job = importing.bring(None, io.BytesIO(LEGACY), "old.csv", desk.group.east, when=desk.when)
    importing.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), when=desk.when)
    return importing.check(job.pk, when=desk.when)


def file_taken_in(desk: Desk) -> Built:
    job = checked_file(desk)
    return importing.taking_in(job), lambda: importing.start(desk.cast["integrator"], job.pk, when=desk.when)


def file_taken_back(desk: Desk) -> Built:
    job = checked_file(desk)
    importing.start(None, job.pk, when=desk.when)
    job = importing.run(job.pk, clock=lambda: desk.when)
    told: Any = {"reason": "the wrong file", "when": desk.when}
    return importing.taking_back(job), lambda: importing.start_back(desk.cast["integrator"], job.pk, **told)


SAYS = {"bands": [], "otherwise": "at_once"}


def policy_publication(desk: Desk) -> Built:
    draft = policies.create_policy(None, desk.group["EAST"], "points.adjustment", definition=SAYS, when=desk.when)
    subject = PolicyPublication(version=draft.pk, revision=draft.revision)
    return subject, lambda: policies.publish_policy(desk.cast["administrator"], draft, when=desk.when)


def policy_switch(desk: Desk) -> Built:
    policy = desk.policy(SAYS, "EAST", "points.adjustment").policy
    subject = PolicySwitch(policy=policy.pk, is_active=False)
    return subject, lambda: policies.switch_policy(desk.cast["administrator"], policy, False, when=desk.when)


def publication(desk: Desk) -> Built:
    version = draft(desk.group)
    subject = publication_of(version, None)
    return subject, lambda: rules.publish_version(desk.cast["marketing"], version, when=WHEN)


def retirement(desk: Desk) -> Built:
    rule = published(desk.group).rule
    return Retirement(rule=rule.pk), lambda: rules.retire_rule(desk.cast["marketing"], rule, when=WHEN)


def document_import(desk: Desk) -> Built:
    published(desk.group)
    written = json.loads(json.dumps(exported(None, desk.group.east, WHEN)))
    written["rules"][0]["draft"] = DOUBLE
    document, by = read(json.dumps(written).encode()), desk.cast["marketing"]
    subject = import_of(by, desk.group.east, document, WHEN)
    return subject, lambda: import_document(desk.cast["marketing"], desk.group.east, document, when=WHEN)


def code_making(desk: Desk) -> Built:
    batch = drafted(desk.group)
    return making_of(batch), lambda: start_making(desk.cast["marketing"], batch, when=WHEN)


def code_days(desk: Desk) -> Built:
    batch = rules_codes.start_making(None, drafted(desk.group, ends_on=date(2026, 6, 30)), when=WHEN)
    later: Any = {"ends_on": date(2026, 12, 31)}
    return rules_codes.days_of(batch, later), lambda: rules_codes.change_batch(
        desk.cast["marketing"], batch, when=WHEN, **later
    )


def held_verdict(desk: Desk) -> Built:
    till = make_till(desk.group)
    publish(desk.group), publish(desk.group, HOLD, condition=LARGE)
    till.send(purchase("1000", key="a"))
    held = HeldEvent.objects.get()
    by, told = desk.cast["regional_manager"], {"reason": "Known guest", "when": NOW}
    return HeldVerdict(held=held.pk, verdict="released"), lambda: decide_held(by, held, "released", **told)  # type: ignore[arg-type]


def tag_change(desk: Desk) -> Built:
    tag = create_tag(None, desk.group.east, key="regular", label="Regular", condition=REGULAR)
    publish(desk.group, condition={"all": [{"field": "member.tags", "op": "has_any", "value": ["regular"]}]})
    values: Any = {"kept_days": 30, "refresh": "by_hand"}
    return TagChange(tag=tag.pk, values=values), lambda: change_tag(
        desk.cast["marketing"], tag.pk, when=desk.when, **values
    )


def rfm_window(desk: Desk) -> Built:
    east = desk.group.east
    set_up(None, east, when=desk.when)
    publish(desk.group, condition={"all": [{"field": "member.tags", "op": "has_any", "value": ["rfm-lost"]}]})
    return RfmWindow(program=east.pk, window_days=30), lambda: set_up(
        desk.cast["marketing"], east, window_days=30, when=desk.when
    )


BUILDERS: dict[str, Callable[[Desk], Built]] = {
    Adjustment.code: adjustment,
    Reversal.code: reversal,
    BulkAdjustment.code: bulk,
    PointTypeTerms.code: point_type_terms,
    orgs.RoleChange.code: role_change,
    orgs.ClientAccess.code: client_access,
    orgs.ProgramTerms.code: program_terms,
    orgs.SpecialDayDays.code: special_day,
    PersonalLook.code: personal_look,
    MemberErasure.code: erasure,
    TakingIn.code: file_taken_in,
    TakingBack.code: file_taken_back,
    merging.MembersMerged.code: members_merged,
    merging.MergeUndone.code: merge_undone,
    PolicyPublication.code: policy_publication,
    PolicySwitch.code: policy_switch,
    Publication.code: publication,
    Retirement.code: retirement,
    ProgramImport.code: document_import,
    CodeMaking.code: code_making,
    CodeDays.code: code_days,
    HeldVerdict.code: held_verdict,
    TagChange.code: tag_change,
    RfmWindow.code: rfm_window,
}
