"""The form that brings a file of events in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.activity.models import ImportJob
from apps.activity.words import PRESETS


class ImportForm(forms.ModelForm):
    """A file, whose it is, and how it is to be read. The service looks into the file."""

    actor: Any
    file = forms.FileField(
        label=_("File"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=_(
            "A CSV text, UTF-8 or GB18030, with a header row. The standard columns event_key, kind, member and "
            "occurred_at are required."
        ),
        error_messages={"required": _("Choose a file; one larger than 512 MB is not taken in.")},
    )
    preset = forms.ChoiceField(
        choices=list(PRESETS.items()), required=False, label=_("Kind of file"), widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = ImportJob
        fields = ("program", "preset", "enrols")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = list(self.fields["program"].queryset[:2]) if "program" in self.fields else []  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["program"].initial = offered[0]
