"""`manage.py import_program FILE`: compares a programme's document with the programme, and drafts what it changes."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.sending import send
from apps.approvals.showing import waited_for
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs.models import Program, Staff
from apps.rules.bringing_in import import_document, import_of
from apps.rules.document import MOST_BYTES, ProgramDocument
from apps.rules.errors import DocumentFaulty
from apps.rules.exchange import Plan, compared, read
from apps.rules.management.commands.export_program import program_called


class Command(BaseCommand):
    help = "Brings a programme's document in, as drafts. Exit 2 when it is refused; then nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--program", metavar="CODE", help="into this programme; else the one the file names")
        parser.add_argument("--dry-run", action="store_true", help="only compare")
        parser.add_argument(
            "--as", dest="person", metavar="USERNAME", help="in this person's name; where a policy holds it, a request"
        )
        parser.add_argument(
            "--reason", default="manage.py import_program", help="what those read who decide on a request"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as file:
                written = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.", returncode=2) from None
        try:
            document = read(written)
            program = program_called(options["program"] or document.program.code)
            if options["dry_run"]:
                plan = compared(None, program, document, language="en", when=now())
            elif options["person"]:
                return self.ask(program, document, options)
            else:
                with transaction.atomic():
                    plan = import_document(None, program, document, when=now())
        except LoyaltyError as refusal:
            self.refuse(refusal, options["json"])
        else:
            self.report(plan, options["json"])

    def ask(self, program: Program, document: ProgramDocument, options: dict[str, Any]) -> None:
        """Sends a request in somebody's name, which is carried out at once where nobody else is asked."""
        person = Staff.objects.filter(username=options["person"], is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody signs in as {options['person']}.", returncode=2)
        with transaction.atomic():
            subject = import_of(person, program, document, now())
            sent = send(person, subject, reason=options["reason"], key=f"import:{uuid4()}", when=now())
        people = [str(each) for each in waited_for(sent)]
        if options["json"]:
            self.stdout.write(json.dumps({"request": sent.pk, "state": sent.state, "waits_for": people}))
        elif sent.state == ApprovalRequest.State.DONE:
            self.stdout.write(f"Done, as request {sent.pk}: {sent.told['changes']} drafted or added.")
        else:
            self.stdout.write(f"Sent as request {sent.pk}; it waits for {', '.join(people) or 'nobody yet'}.")

    def refuse(self, refusal: LoyaltyError, as_json: bool) -> None:
        faults = refusal.lines() if isinstance(refusal, DocumentFaulty) else []
        if as_json:
            told = {"refused": refusal.code, "faults": [{"path": path, "message": said} for path, said in faults]}
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        for path, said in faults:
            self.stderr.write(f"{path or '/'}: {said}")
        raise CommandError(refusal.sentence(), returncode=2)

    def report(self, plan: Plan, as_json: bool) -> None:
        steps = [("point type", step) for step in plan.point_types] + [("rule", step) for step in plan.rules]
        if as_json:
            told = [
                {"what": what, "verb": step.verb, "code": step.code, "name": step.name, "lines": list(step.lines)}
                for what, step in steps
            ]
            self.stdout.write(json.dumps({"changes": plan.changes, "steps": told}, ensure_ascii=False))
            return
        for what, step in steps:
            if step.verb in ("added", "changed"):
                self.stdout.write(f"{step.verb}: {what} {step.code} ({step.name})")
                for line in step.lines:
                    self.stdout.write(f"    {line}")
        for line in plan.stays:
            self.stdout.write(line)
        self.stdout.write(f"{plan.changes} to draft or add." if plan.changes else "Nothing to draft or add.")
