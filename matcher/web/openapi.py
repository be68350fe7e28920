"""The OpenAPI 3.1 document, built from the routes and their pydantic models: it cannot lag behind."""

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from matcher.web.keys import ROUTES
from matcher.web.moves import API
from matcher.web.problems import MEDIA_TYPE, WORDS
from matcher.web.route import ANYONE, Doc, Route
from matcher.web.schemas import ProblemView

DOCUMENT = "/api/openapi.json"
#: The version of the contract, not of the program.
VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{model}"

Schema = dict[str, Any]


def document(routes: Iterable[Route]) -> Schema:
    """The whole document for the routes that have a ``Doc``."""
    shown = [route for route in routes if route.doc is not None]
    schemas, components = _schemas(shown)
    paths: dict[str, Schema] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trait d’union",
            "version": VERSION,
            "description": "Trouver un médecin traitant : de la demande au rattachement, dans un territoire.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


@lru_cache(maxsize=4)
def _text(routes: tuple[Route, ...]) -> str:
    return json.dumps(document(routes), ensure_ascii=False)


async def show(request: web.Request) -> web.StreamResponse:
    """The document, as JSON: made when first asked for, which takes half a second of a thread."""
    text = await asyncio.to_thread(_text, request.app[ROUTES])
    return web.Response(text=text, content_type="application/json")


ROUTE: Final = Route("GET", DOCUMENT, show, allowed=ANYONE)

_Key = tuple[str, str]


def _schemas(routes: Sequence[Route]) -> tuple[dict[_Key, Schema], Schema]:
    """(operation, part) → schema, and the components that they refer to."""
    wanted: dict[tuple[str, JsonSchemaMode], TypeAdapter[Any]] = {
        ("problem", "serialization"): TypeAdapter(ProblemView)
    }
    for route in routes:
        doc = _doc(route)
        name = _operation_id(route)
        if doc.body is not None:
            wanted[f"{name} body", "validation"] = TypeAdapter(doc.body)
        for status, shape in doc.answers.items():
            if shape is not None and doc.media_type == "application/json":
                wanted[f"{name} {status}", "serialization"] = TypeAdapter(shape)
    found, definitions = TypeAdapter.json_schemas(
        [(name, mode, adapter) for (name, mode), adapter in wanted.items()], ref_template=_REF
    )
    named = {(str(name), str(mode)): _never_null(schema) for (name, mode), schema in found.items()}
    return named, _never_null(definitions.get("$defs", {}))


def _never_null(schema: Any) -> Any:
    """Without null: absent values are omitted, in both directions."""
    if isinstance(schema, list):
        return [_never_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: _never_null(v) for k, v in schema.items() if not (k == "default" and v is None)}
    if "anyOf" in kept and isinstance(kept["anyOf"], list):
        options = [option for option in kept["anyOf"] if option != {"type": "null"}]
        del kept["anyOf"]
        kept = {**options[0], **kept} if len(options) == 1 else {**kept, "anyOf": options}
    return kept


def _doc(route: Route) -> Doc:
    assert route.doc is not None
    return route.doc


def _operation_id(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path.removeprefix(API))
    return "_".join((route.method.lower(), *words))


def _operation(route: Route, schemas: dict[_Key, Schema]) -> Schema:
    doc = _doc(route)
    name = _operation_id(route)
    operation: Schema = {
        "operationId": name,
        "summary": doc.summary,
        "tags": [route.path.removeprefix(API).split("/")[1]],
        "responses": _responses(route, doc, name, schemas),
    }
    if route.allowed is ANYONE:
        operation["security"] = []
    else:
        operation["security"] = [{"key": []}]
        roles = sorted(role.value for role in route.allowed)
        operation["description"] = f"Rôles : {', '.join(roles)}."
        operation["x-roles"] = roles
    if parameters := _parameters(route, doc):
        operation["parameters"] = parameters
    if doc.body is not None:
        required = any(field.is_required() for field in doc.body.model_fields.values())
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schemas[f"{name} body", "validation"]}},
        }
    return operation


def _parameters(route: Route, doc: Doc) -> list[Schema]:
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    if doc.query is not None:
        found += _of_query(doc.query)
    if doc.creates:
        text = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"}
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Le même envoi sous la même clé ne crée qu’une fois.",
                "schema": text,
            }
        )
    return found


def _of_query(model: type[BaseModel]) -> list[Schema]:
    schema = _never_null(model.model_json_schema(by_alias=True))
    definitions = schema.get("$defs", {})
    required = schema.get("required", ())

    def whole(part: Schema) -> Schema:
        """A query's parts are small: what they refer to is written out."""
        name = part.get("$ref", "").rpartition("/")[2]
        return definitions[name] if name else part

    return [
        {"name": name, "in": "query", "required": name in required, "schema": whole(part)}
        for name, part in schema["properties"].items()
    ]


def _responses(route: Route, doc: Doc, name: str, schemas: dict[_Key, Schema]) -> Schema:
    found: Schema = {}
    for status, shape in doc.answers.items():
        content: Schema = {}
        if doc.media_type != "application/json":
            content = {doc.media_type: {"schema": {"type": "string", "format": "binary"}}}
        elif shape is not None:
            content = {"application/json": {"schema": schemas[f"{name} {status}", "serialization"]}}
        found[str(status)] = {"description": "Fait."} | ({"content": content} if content else {})
    for status in sorted(_refusals(route, doc)):
        found[str(status)] = {
            "description": WORDS[status][1],
            "content": {MEDIA_TYPE: {"schema": schemas["problem", "serialization"]}},
        }
    return found


def _refusals(route: Route, doc: Doc) -> set[int]:
    """The statuses by which this route may say no."""
    found = {404, 413, 429, 500}
    if doc.body is not None:
        found |= {400, 408, 409, 415, 503}
    if doc.query is not None or doc.creates:
        found.add(400)
    if route.allowed is not ANYONE:
        found |= {401, 403}
    elif "/links/" in route.path:
        found |= {403, 410, 423}
    return found
