"""Jobs and reasons as sentences."""

from django.utils.translation import gettext as _

from apps.orgs.models import OrgUnit, Persona


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
    }
    if reason in fixed:
        return fixed[reason]
    for start, sentence in [
        ("role granted: ", _("Role granted: %(job)s")),
        ("role revoked: ", _("Role revoked: %(job)s")),
    ]:
        if reason.startswith(start):
            role, _at, unit = reason.removeprefix(start).partition(" @ ")
            return sentence % {"job": job_sentence(role, unit)}
    return reason
