"""Privacy in the demo: what members are asked to agree to, what some of them said, and one who asked to be erased."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from apps.core.errors import LoyaltyError
from apps.members.models import Consent, Member
from apps.members.privacy.consenting import create_purpose, record_consent
from apps.members.privacy.erasing import erase
from apps.orgs.models import OrgUnit
from config.demo.group import Group

PURPOSES = (
    ("offers", "News and offers", "优惠与活动",
     "We may tell you of offers and events. You can withdraw at any time, in any store.",
     "我们可以向您发送优惠与活动信息。您可随时在任一门店撤回同意。"),
    ("profiling", "Offers that fit me", "个性化推荐",
     "We may use your purchases to choose offers that fit you. Nobody else gets them.",
     "我们可以根据您的消费记录为您挑选合适的优惠，不会提供给他人。"),
    ("partners", "Partners of the group", "集团合作伙伴",
     "We may share your phone number with our partners for joint campaigns.",
     "我们可以向合作伙伴提供您的手机号，用于联合活动。"),
)  # fmt: skip
ASKED = 40
"""Members who said something."""


def define_purposes(units: Mapping[str, OrgUnit], when: datetime) -> None:
    for position, (key, label, label_zh, wording, wording_zh) in enumerate(PURPOSES, 1):
        create_purpose(
            None, units["SHANHAI"], key=key, label=label, label_zh=label_zh, wording=wording, wording_zh=wording_zh,
            position=position, when=when,
        )  # fmt: skip


def ask_members(group: Group, random: Random, end: datetime) -> int:
    """Some agree, some of them withdraw; how many rows."""
    said = 0
    for member in Member.objects.order_by("pk")[:ASKED]:
        actor = group.people[
            "service" if member.home_unit.path.startswith(group.units["EAST"].path) else "river_service"
        ]
        for key, channel, share in (("offers", "sms", 0.8), ("offers", "wechat", 0.5), ("profiling", "app", 0.4)):
            if random.random() > share:
                continue
            day = end - timedelta(days=random.randint(20, 60), hours=random.randint(9, 14))
            told = {"purpose": key, "channel": channel, "source": Consent.Source.HAND}
            number = random.randint(1_000, 9_999)
            record_consent(actor, member.pk, is_given=True, proof=f"入会表 form {number}", when=day, **told)
            said += 1
            if random.random() < 0.2:
                record_consent(actor, member.pk, is_given=False, when=day + timedelta(days=9), **told)
                said += 1
    return said


def erase_one(group: Group, end: datetime) -> bool:
    """One member of Riverside Tea asked for it; whoever has something under way is let be."""
    river = Member.objects.filter(home_unit__path__startswith=group.units["RIVER"].path, state="active")
    for member in river.order_by("-pk")[:10]:
        try:
            erase(group.people["river_service"], member.pk, why="asked", forfeits=True, when=end - timedelta(hours=4))
        except LoyaltyError:
            continue
        return True
    return False
