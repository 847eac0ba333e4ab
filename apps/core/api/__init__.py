"""The base of the HTTP API. Rooms contribute routers; `config.api` puts them together."""

from apps.core.api.base import StudioAPI
from apps.core.api.bodies import Body, Day, Text, Whole
from apps.core.api.problems import Failing, FieldProblem, Unacceptable, faults_of

__all__ = ["Body", "Day", "Failing", "FieldProblem", "StudioAPI", "Text", "Unacceptable", "Whole", "faults_of"]
