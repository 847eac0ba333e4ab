"""The JSON Schema of a programme's document and of a rule's definition, made from the shapes that read them. Pure.

What a schema cannot say (whether a unit is the programme's, how many questions a rule asks) is checked by
`check_definition` alone.
"""

from functools import cache
from typing import Any

from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.operators import Operator, Shape, operators_of
from apps.conditions.tree import MOST_NODES
from apps.conditions.types import MOST_VALUES, Type
from apps.conditions.windows import LONGEST, MOST_MINUTES, NAMED, TODAY
from apps.rules.catalogue import CATALOGUE, LINE_CATALOGUE
from apps.rules.definition import Definition
from apps.rules.document import ProgramDocument

ADDRESS = "/api/schemas/program.json"
TREES = {"condition": "Condition", "when": "Condition", "lines": "LineCondition"}
"""The parts of a definition that are trees, and which."""
NUMBERS = {"type": ["number", "string"]}
VALUES: dict[Type, dict[str, Any]] = {
    Type.NUMBER: NUMBERS,
    Type.INTEGER: NUMBERS,
    Type.WEEKDAY: {"type": "integer", "minimum": 1, "maximum": 7},
    Type.HOUR: {"type": "integer", "minimum": 0, "maximum": 23},
    Type.DATE: {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d$"},
    Type.ANY: {"type": ["string", "number"]},
}
TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
DAYS = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": LONGEST}, {"enum": list(NAMED)}]}
MINUTES = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_MINUTES}, {"const": TODAY}]}


@cache
def program_schema() -> dict[str, Any]:
    """Draft 2020-12. Whoever changes what it is made from writes docs/program.schema.json anew."""
    document: dict[str, Any] = _tidied(ProgramDocument.model_json_schema())
    definition: dict[str, Any] = _tidied(Definition.model_json_schema())
    parts: dict[str, Any] = document.pop("$defs") | definition.pop("$defs")
    parts["Definition"] = definition
    for part in parts.values():
        for name, shape in part.get("properties", {}).items():
            if name == "definition":
                part["properties"][name] = {"$ref": "#/$defs/Definition"}
            elif name == "draft":
                part["properties"][name] = {"anyOf": [{"$ref": "#/$defs/Definition"}, {"type": "null"}]}
            elif name in TREES:
                part["properties"][name] = _tree_in(shape, TREES[name])
    parts |= {"Condition": _tree(CATALOGUE, "Condition"), "LineCondition": _tree(LINE_CATALOGUE, "LineCondition")}
    start = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ADDRESS, "title": "Loyalty programme"}
    return start | document | {"$defs": dict(sorted(parts.items()))}


def _tidied(schema: Any) -> Any:
    """Without the titles, which only spell names again; what a part is recognised by is required."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _tidied(part) for name, part in schema.items() if name != "title" or isinstance(part, dict)}
    properties = kept.get("properties")
    if isinstance(properties, dict):
        marks = [name for name, part in properties.items() if isinstance(part, dict) and "const" in part]
        kept["required"] = [*marks, *(name for name in kept.get("required", []) if name not in marks)]
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    return kept


def _tree_in(shape: dict[str, Any], name: str) -> dict[str, Any]:
    tree = {"$ref": f"#/$defs/{name}"}
    is_optional = any(part.get("type") == "null" for part in shape.get("anyOf", []))
    return {"anyOf": [tree, {"type": "null"}], "default": None} if is_optional else tree


def _tree(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """A condition over the fields of `catalogue`, as `apps.conditions.tree` reads it."""
    tree = {"$ref": f"#/$defs/{name}"}
    shapes = [
        _object({"all": {"type": "array", "items": tree, "maxItems": MOST_NODES}}),
        _object({"any": {"type": "array", "items": tree, "minItems": 1, "maxItems": MOST_NODES}}),
        _object({"not": tree}),
    ]
    if catalogue.lines is not None:
        where = {"$ref": "#/$defs/LineCondition"}
        may_be_all = {"anyOf": [where, {"type": "null"}]}
        compared = {"op": _codes(operators_of(Type.NUMBER), Shape.ONE), "value": NUMBERS}
        sums = {"enum": list(catalogue.lines.sums)}
        shapes += [
            _object({"lines": {"enum": ["any", "all", "none"]}, "where": where}),
            _object({"lines": {"const": "count"}, "where": may_be_all, **compared}, optional=("where",)),
            _object({"lines": {"const": "sum"}, "of": sums, "where": may_be_all, **compared}, optional=("where",)),
        ]
    for kind in Type:
        fields = [field for field in catalogue.fields if field.type is kind]
        shapes += [shape for window in (None, DAYS, MINUTES) for shape in _leaves(kind, fields, window)]
    for family in catalogue.families:
        own = {"type": "string", "pattern": f"^{family.prefix.replace('.', '[.]')}[.].{{1,60}}$"}
        shapes += [_leaf(own, Type.ANY, shape) for shape in Shape]
    return {"description": "A condition: a group, its opposite, or one question.", "anyOf": shapes}


def _leaves(kind: Type, fields: list[Field], window: Any) -> list[dict[str, Any]]:
    names = [field.name for field in fields if _window_of(field) is window]
    choices = sorted({code for field in fields for code, _words in field.choices})
    others = "|".join(f"^{field.others}$" for field in fields if field.others)
    if not names:
        return []
    shapes = [shape for shape in Shape if any(each.shape is shape for each in operators_of(kind))]
    value: dict[str, Any] | None = (
        {"type": "string", "pattern": others} if others else {"enum": choices} if choices else None
    )
    return [_leaf({"enum": names}, kind, shape, value=value, window=window) for shape in shapes]


def _window_of(field: Field) -> Any:
    return (MINUTES if field.is_short else DAYS) if field.windowed else None


def _leaf(
    field: dict[str, Any], kind: Type, shape: Shape, *, value: dict[str, Any] | None = None, window: Any = None
) -> dict[str, Any]:
    value = value or VALUES.get(kind, TEXT)
    values: dict[Shape, dict[str, Any]] = {
        Shape.NONE: {"type": "null"},
        Shape.ONE: value,
        Shape.TWO: {"type": "array", "items": value, "minItems": 2, "maxItems": 2},
        Shape.MANY: {"type": "array", "items": value, "minItems": 1, "maxItems": MOST_VALUES},
    }
    parts = {"field": field, "op": _codes(operators_of(kind), shape), "value": values[shape]}
    if window is not None:
        parts["window"] = window
    return _object(parts, optional=("value",) if shape is Shape.NONE else ())


def _codes(operators: Any, shape: Shape) -> dict[str, Any]:
    found: list[Operator] = [each for each in operators if each.shape is shape]
    return {"enum": [each.code for each in found]}


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
