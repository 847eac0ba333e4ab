"""Jobs and reasons as sentences."""

from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.orgs.models import ApiClient, OrgUnit, Persona

ROLES: dict[str, Words] = {
    Persona.MARKETING: Words("Marketing", "市场营销"),
    Persona.FINANCE: Words("Finance", "财务"),
    Persona.REGIONAL_MANAGER: Words("Regional manager", "区域经理"),
    Persona.VICE_PRESIDENT: Words("Vice president", "副总裁"),
    Persona.MARKETING_HEAD: Words("Head of marketing", "市场总监"),
    Persona.SERVICE: Words("Customer service", "客服"),
    Persona.SHOP: Words("Shop staff", "门店员工"),
    Persona.AUDITOR: Words("Auditor", "审计"),
    Persona.INTEGRATOR: Words("Integrator", "系统对接"),
    Persona.ADMINISTRATOR: Words("Administrator", "管理员"),
}
"""The roles in both languages: policies are read in either, whatever language is in force."""

A = ApiClient.AccessScope
SCOPES: dict[str, Words] = {
    A.EVENTS_WRITE: Words("Send events", "发送事件"),
    A.MEMBERS_READ: Words("Read members, masked", "读取会员（脱敏）"),
    A.MEMBERS_WRITE: Words("Enrol and change members", "登记和修改会员"),
    A.MEMBERS_PERSONAL: Words("Read personal data", "读取个人信息"),
    A.POINTS_READ: Words("Read balances and entries", "读取余额和分录"),
    A.POINTS_REDEEM: Words("Hold and redeem points", "冻结和兑换积分"),
}


def job_sentence(role: str, unit: OrgUnit | str) -> str:
    """“Marketing at East Coffee”."""
    label = Persona(role).label if role in Persona.values else role
    return _("%(job)s at %(unit)s") % {"job": label, "unit": unit}


def reason_in_words(reason: str) -> str:
    """A reason that the services of this room wrote, in the language in force; others as they are."""
    fixed = {
        "password set": _("Password set"),
        "key replaced": _("Key replaced"),
        "second step on": _("Two-step sign-in turned on"),
        "second step off": _("Two-step sign-in turned off"),
        "second step reset": _("Two-step sign-in reset"),
        "review of roles": _("Review of roles"),
    }
    if reason in fixed:
        return fixed[reason]
    for start, sentence in [
        ("role granted: ", _("Role granted: %(job)s")),
        ("role revoked: ", _("Role revoked: %(job)s")),
    ]:
        if reason.startswith(start):
            role, _at, where = reason.removeprefix(start).partition(" @ ")
            unit, _colon, why = where.partition(": ")
            told = sentence % {"job": job_sentence(role, unit)}
            return _("%(told)s (%(why)s)") % {"told": told, "why": reason_in_words(why)} if why else told
    return reason
