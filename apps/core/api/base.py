"""The API that rooms contribute routers to. Whatever goes wrong in it, also outside our code, is told as a problem."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import orjson
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.urls import URLPattern, URLResolver, re_path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import BaseRenderer

from apps.core.api.bodies import JsonParser
from apps.core.api.problems import (
    FieldProblem,
    NotJson,
    Problem,
    Unacceptable,
    WrongMediaType,
    failing,
    faults_of,
    problem,
    told,
)
from apps.core.errors import LoyaltyError, NotAllowed

logger = logging.getLogger("django.request")

SECONDS_TO_WAIT = 5

PLAIN: dict[type[Exception], tuple[int, str]] = {
    Http404: (404, "not_found"),
    RequestDataTooBig: (413, "too_large"),
    UnreadablePostError: (400, "not_json"),
    BadRequest: (400, "bad_request"),
}
"""What Django raises while a request is read, and the status and code it is told with."""


class Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data)


class StudioAPI(NinjaAPI):
    """One API of ours. `statuses` says which refusals, by code, are told with another status than 422."""

    def __init__(self, *, statuses: Mapping[str, int], **options: Any) -> None:
        self.statuses = {NotAllowed.code: 403, NotJson.code: 400, WrongMediaType.code: 415, **statuses}
        super().__init__(parser=JsonParser(), renderer=Renderer(), **options)

    def set_default_exception_handlers(self) -> None:
        self.add_exception_handler(Exception, self._broken)
        self.add_exception_handler(LoyaltyError, self._refused)
        self.add_exception_handler(ValidationError, self._invalid)
        self.add_exception_handler(HttpError, self._unread)
        self.add_exception_handler(AuthenticationError, self._unknown_key)
        self.add_exception_handler(OperationalError, self._unavailable)
        self.add_exception_handler(InterfaceError, self._unavailable)
        for kind in PLAIN:
            self.add_exception_handler(kind, self._plain)

    def _refused(self, request: HttpRequest, refusal: Any) -> HttpResponse:
        status = self.statuses.get(refusal.code, 422)
        headers = {"Retry-After": str(refusal.data["seconds"])} if status == 429 else None
        return problem(status, refusal.code, refusal.sentence(), faults_of(refusal), headers)

    def _invalid(self, request: HttpRequest, error: Any) -> HttpResponse:
        return self._refused(request, Unacceptable([failing(each) for each in error.errors]))

    def _unread(self, request: HttpRequest, error: Any) -> HttpResponse:
        """ninja wraps what our parser raises."""
        cause = error.__cause__ or error
        return self._refused(request, cause if isinstance(cause, LoyaltyError) else NotJson())

    def _unknown_key(self, request: HttpRequest, error: Any) -> HttpResponse:
        return told(401, "unknown_key", {"WWW-Authenticate": "Bearer"})

    def _plain(self, request: HttpRequest, error: Any) -> HttpResponse:
        return next(told(status, code) for kind, (status, code) in PLAIN.items() if isinstance(error, kind))

    def _unavailable(self, request: HttpRequest, error: Any) -> HttpResponse:
        logger.error("the database does not answer", exc_info=error)
        return told(503, "unavailable", {"Retry-After": str(SECONDS_TO_WAIT)})

    def _broken(self, request: HttpRequest, error: Any) -> HttpResponse:
        logger.error("a call of the API failed", exc_info=error, extra={"status_code": 500, "request": request})
        got_request_exception.send(sender=None, request=request)
        return told(500, "failed")

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        """Also an answer of ours for every address below that is none."""
        patterns = super()._get_urls()
        for pattern in patterns:
            pattern.callback = _in_our_form(pattern.callback)  # type: ignore[arg-type]
        return [*patterns, re_path("", _in_our_form(_nothing_here), name="nothing-here")]

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Every operation may answer with a problem."""
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"] |= {
            "FieldProblem": FieldProblem.model_json_schema(),
            "Problem": Problem.model_json_schema(ref_template="#/components/schemas/{model}"),
        }
        schema["components"]["schemas"]["Problem"].pop("$defs", None)
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"]["default"] = {
                    "description": "A problem; nothing was changed",
                    "content": content,
                }
        return schema


def _nothing_here(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    raise Http404


_nothing_here.csrf_exempt = True  # type: ignore[attr-defined]


def _in_our_form(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """`view`, whose answers are kept by nobody, and which tells what Django answers by itself as we do."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = told(404, "not_found")
        if response.status_code == 405:
            response = told(
                405, "method_not_allowed", {"Allow": ", ".join(sorted(response.headers["Allow"].split(", ")))}
            )
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer
