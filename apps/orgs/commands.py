"""What commands share that work on one programme."""

from django.core.management.base import CommandError

from apps.orgs.models import Program


def program_called(code: str) -> Program:
    """The programme with its unit. Raises CommandError, exit code 2, which names those that there are."""
    program: Program | None = Program.objects.select_related("unit").filter(code=code).first()
    if program is None:
        known = ", ".join(Program.objects.values_list("code", flat=True)) or "none yet"
        raise CommandError(f"There is no programme {code}. There are: {known}.", returncode=2)
    return program
