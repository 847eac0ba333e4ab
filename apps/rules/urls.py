"""The one address of rules outside the admin: the JSON Schema of a programme's document, for everybody."""

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from apps.rules.schema import ADDRESS, program_schema


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    return JsonResponse(program_schema())


urlpatterns = [path(ADDRESS.removeprefix("/"), schema, name="program_schema")]
