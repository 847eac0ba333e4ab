"""Files of members on their way in: the file, the rows it holds, what names their members, and how files are read."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.scope import Scope, ScopedModel
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Program, Staff

CELLS = "import:member"
"""The purpose under which the cells of a row are encrypted."""


class ImportMapping(ScopedModel):
    """How files of one source are read: `document` is an `importing.mapping.Mapping`."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    name = models.CharField(_("name of the source"), max_length=60)
    document = models.JSONField(_("columns"), default=dict)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("mapping of member files")
        verbose_name_plural = _("mappings of member files")
        constraints: ClassVar = [models.UniqueConstraint(fields=["program", "name"], name="importmapping_once")]

    def __str__(self) -> str:
        return self.name


class MemberImport(ScopedModel):
    """One file of members: what it is, what its rows would become or became, and what was decided about them.

    `decisions` holds what a person chose (`importing.deciding`), each as finding, value and choice, the first first; `stated` what the sender says
    the file holds; `counts` the rows by state; `totals` what rooms above bring in with the members.
    """

    class State(models.TextChoices):
        NEW = "new", _("Uploaded")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        RUNNING = "running", _("Being taken in")
        DONE = "done", _("Taken in")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Stopped")
        UNDOING = "undoing", _("Being taken back")
        UNDONE = "undone", _("Taken back")

    class Mode(models.TextChoices):
        GOOD = "good", _("Take the good rows in")
        ALL = "all", _("All rows or none")

    scope = Scope(units=("program__unit",))

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    file_name = models.CharField(_("file"), max_length=200)
    file_hash = models.BinaryField(max_length=32, editable=False)
    path = models.CharField(max_length=400, editable=False)
    source = models.CharField(_("source"), max_length=60, blank=True)
    layout = models.JSONField(_("layout"), default=dict)
    mapping = models.JSONField(_("columns"), default=dict)
    mode = models.CharField(_("mode"), max_length=4, choices=Mode.choices, default=Mode.GOOD)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    refusal = models.JSONField(_("refusal"), default=dict, blank=True)
    rows_read = models.IntegerField(_("rows read"), default=0)
    rows_done = models.IntegerField(_("rows done"), default=0)
    counts = models.JSONField(_("rows by state"), default=dict)
    totals = models.JSONField(_("totals"), default=dict, encoder=DjangoJSONEncoder)
    decisions = models.JSONField(_("decisions"), default=list)
    stated = models.JSONField(_("stated totals"), default=dict, blank=True)
    created_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("uploaded by"))
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    forgotten_at = models.DateTimeField(_("rows forgotten at"), null=True)

    class Meta:
        verbose_name = _("file of members")
        verbose_name_plural = _("files of members")

    def __str__(self) -> str:
        return self.file_name


class MemberRow(ScopedModel):
    """A row of such a file: what it says, encrypted where it is personal, and what it is to become.

    `findings` holds what is to be decided or refuses it, by code, with the value at fault where that is not personal;
    `notes` what was repaired; `changes` the member's fields that differ (`changes.FieldChange`); `before` the member as
    it was, for taking back. `cells_cipher` holds the cells as they were read, until the row has been taken in.

    Staged rows carry no constraints of the database: they are written by the million, by SQL of this package alone, which
    names only what it has just read; members' own tables are constrained.
    """

    class State(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
        SAME = "same", _("The same")
        QUESTION = "question", _("To be decided")
        REFUSED = "refused", _("Refused")
        LEFT = "left", _("Left out")

    scope = Scope(units=("job__program__unit",))
    personal = Personal.ENCRYPTED

    job = models.ForeignKey(
        MemberImport, models.CASCADE, related_name="staged", verbose_name=_("file"), db_index=False, db_constraint=False
    )
    number = models.IntegerField(_("row"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    is_done = models.BooleanField(_("taken in"), default=False)
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("member"),
        db_index=False,
        db_constraint=False,
    )
    unit = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("home unit"),
        db_index=False,
        db_constraint=False,
    )
    joined_on = models.DateField(_("joined on"), null=True)
    name_cipher = models.BinaryField(null=True, editable=False)
    masked_name = models.CharField(max_length=120, blank=True)
    name_grams = ArrayField(models.IntegerField(), null=True, editable=False)
    birth_on_cipher = models.BinaryField(null=True, editable=False)
    birth_day = models.SmallIntegerField(null=True, editable=False)
    birth_year = models.SmallIntegerField(null=True, editable=False)
    attributes = models.JSONField(_("attributes"), default=dict)
    amounts = models.JSONField(_("amounts"), default=dict)
    findings = models.JSONField(_("findings"), default=dict)
    notes = models.JSONField(_("notes"), default=list)
    changes = models.JSONField(_("changes"), default=list)
    before = models.JSONField(null=True, editable=False)
    cells_cipher = models.BinaryField(null=True, editable=False)

    class Meta:
        verbose_name = _("row of a file of members")
        verbose_name_plural = _("rows of files of members")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "number"], name="memberrow_once"),
        ]
        indexes: ClassVar = [
            # The first rows of each state.
            models.Index(fields=["job", "state", "number"], name="memberrow_state"),
            # What files hold of a member: erasure and taking back.
            models.Index(fields=["member"], name="memberrow_member", condition=Q(member__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.number}"


class RowIdentifier(ScopedModel):
    """What names the member of a row, encrypted; `member` is whom it names in the studio already."""

    scope = Scope(units=("job__program__unit",))
    personal = Personal.ENCRYPTED

    job = models.ForeignKey(
        MemberImport, models.CASCADE, related_name="named", verbose_name=_("file"), db_index=False, db_constraint=False
    )
    number = models.IntegerField(_("row"))
    kind = models.CharField(_("kind"), max_length=40)
    value_cipher = models.BinaryField(editable=False)
    value_hash = models.BinaryField(max_length=16, editable=False)
    tail_hash = models.BinaryField(max_length=8, editable=False)
    masked = models.CharField(_("value"), max_length=80)
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("member"),
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("identifier in a file of members")
        verbose_name_plural = _("identifiers in files of members")
        indexes: ClassVar = [models.Index(fields=["job", "number"], name="rowidentifier_of_row")]

    def __str__(self) -> str:
        return self.masked


class MemberChunk(ScopedModel):
    """A part of a file that one worker reads, takes in, or back, in one transaction, its state changing with its work: the
    rows from `first` to `last`, both included. What is being read has a part for each block that was."""

    scope = Scope(units=("job__program__unit",))

    job = models.ForeignKey(MemberImport, models.CASCADE, related_name="chunks", verbose_name=_("file"), db_index=False)
    first = models.IntegerField(_("first row"))
    last = models.IntegerField(_("last row"))
    is_done = models.BooleanField(_("done"), default=False)

    class Meta:
        verbose_name = _("part of a file of members")
        verbose_name_plural = _("parts of files of members")
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "first"], name="memberchunk_once")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.first}"
