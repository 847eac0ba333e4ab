"""Attributes of members: what business people define, and how it will look."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import get_language, gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of
from apps.members.allowed import listed, plain
from apps.members.choices import Choice
from apps.members.definition_forms import LIMITS, AttributeDefinitionForm, shown_in
from apps.members.models import AttributeDefinition
from apps.members.services.defining import CHANGEABLE, change_definition, create_definition, delete_definition

Type = AttributeDefinition.Type
FIXED = ("unit", "key", "type")
NAMES = ("label", "label_zh", "description")
USES = ("is_required", "in_list", "position", "is_active")


def choices_in_words(choices: Any) -> str:
    language = get_language() or "en"
    return listed([Choice.model_construct(**each).words.in_language(language) for each in choices or ()], language)


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(ScopedAdmin):
    """Whose members, the key and the type are chosen once: values and rules stand on them."""

    form = AttributeDefinitionForm
    list_display = ("__str__", "key", "type", "unit", "is_required", "in_list", "is_active")
    list_select_related = ("unit",)
    list_filter = ("type", "is_active", "unit")
    search_fields = ("key", "label", "label_zh")
    ordering = ("unit__path", "position", "pk")
    can_delete = True
    choice_permissions: ClassVar = {"unit": "members.add_attributedefinition"}
    history_words: ClassVar = {"choices": choices_in_words, "least": plain, "most": plain}
    empty_template = "members/attributes_empty.html"
    change_form_after_template = "members/attribute_preview.html"
    conditional_fields: ClassVar = {
        name: f"typeof type === 'undefined' || {[kind.value for kind, names in LIMITS.items() if name in names]}.includes(type)"
        for name in ("choices", "least", "most", "longest")
    }
    """Once the type stands, the form has only what it takes."""

    class Media:
        css: ClassVar = {"all": ["conditions/conditions.css", "members/choices.css"]}
        js = ("members/choices.js",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("unit", *NAMES, "key", "type", "choices", "least", "most", "longest", *USES[:-1])
        limits = LIMITS.get(Type(obj.type), ())
        if not self.has_change_permission(request, obj):
            limits = tuple("choices_shown" if name == "choices" else name for name in limits)
        return ("unit", *NAMES, "key", "type", *limits, *USES)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return FIXED if self.has_change_permission(request, obj) else (*FIXED, "choices_shown")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in CHANGEABLE if name in form.cleaned_data}
        actor = actor_of(request)
        if change:
            change_definition(actor, obj.pk, **values)
        else:
            first = {name: form.cleaned_data[name] for name in FIXED}
            obj.pk = create_definition(actor, first.pop("unit"), **first, **values).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_definition(actor_of(request), obj.pk)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            saved = AttributeDefinition.objects.get(pk=obj.pk)
            context["previews"] = [shown_in(saved, code) | {"name": str(name)} for code, name in settings.LANGUAGES]
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @admin.display(description=gettext_lazy("choices"))
    def choices_shown(self, definition: AttributeDefinition) -> str:
        return choices_in_words(definition.choices)
