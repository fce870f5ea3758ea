"""Holds every exchange of the tests against api/openapi.yaml: what the server answers must be as
the document says and name nothing that it does not; what the server takes the document must allow.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re
from typing import Any, Iterator

import jsonschema
import yaml

PROJECT = pathlib.Path(__file__).resolve().parents[3]


class NotAsDocumented(AssertionError):
    """Server and document differ."""


@functools.cache
def document() -> dict:
    return yaml.safe_load((PROJECT / "api" / "openapi.yaml").read_text())


def check(method: str, path: str, sent: bytes | None, status: int, kind: str, body: bytes) -> None:
    """`kind` is the answer's content type. Paths below /v1 only; unknown ones must be refused."""
    route = path.partition("?")[0]
    if not route.startswith("/v1/"):
        return
    operation = _operation(method, route)
    if operation is None:
        if status < 400:
            raise NotAsDocumented(f"{method} {route}: {status}, and the document has no such route")
        return
    where = f"{method} {route} -> {status}"
    _check_answer(where, operation, status, kind, body)
    asked = operation.get("requestBody")
    if status < 300 and sent and asked:
        _validate(f"request of {where}", _schema(asked, "application/json"), json.loads(sent))


def _operation(method: str, route: str) -> dict | None:
    for pattern, operations in document()["paths"].items():
        named = re.sub(r"\{[a-z_]+\}", "[^/]+", pattern)
        if method.lower() in operations and re.fullmatch(named, route):
            return operations[method.lower()]
    return None


def _check_answer(where: str, operation: dict, status: int, kind: str, body: bytes) -> None:
    answer = operation["responses"].get(str(status))
    if answer is None and status >= 400:
        # Every operation may answer with a problem: wrong host, too large, over a limit, a restart.
        answer = {"$ref": "#/components/responses/Problem"}
    if answer is None:
        raise NotAsDocumented(f"{where}: the document has no such answer")
    content = _resolved(answer).get("content")
    if not content:
        if body:
            raise NotAsDocumented(f"{where}: a body that the document does not name")
        return
    media = kind.partition(";")[0].strip()
    if "*/*" in content:
        return
    if media not in content:
        raise NotAsDocumented(f"{where}: {media}, the document has {', '.join(content)}")
    if media.endswith("json"):
        _validate(where, content[media]["schema"], json.loads(body))


def _validate(where: str, schema: dict, value: Any) -> None:
    # The base makes "#/components/..." mean the document.
    resolver = jsonschema.RefResolver.from_schema(document())
    problems = jsonschema.Draft202012Validator(schema, resolver=resolver).iter_errors(value)
    told = [f"{'/'.join(map(str, p.absolute_path))}: {p.message[:300]}" for p in problems]
    told += [f"{name}: not in the document" for name in _unnamed(schema, value, "")]
    if told:
        raise NotAsDocumented(f"{where}: " + "; ".join(told[:5]))


def _unnamed(schema: dict, value: Any, at: str) -> Iterator[str]:
    """Members that no part of the schema names."""
    if isinstance(value, list):
        items = _part(schema, "items")
        for index, item in enumerate(value if items else []):
            yield from _unnamed(items, item, f"{at}/{index}")
    if isinstance(value, dict):
        named = _properties(schema)
        for name, member in value.items() if named else ():
            if name not in named:
                yield f"{at}/{name}"
            else:
                yield from _unnamed(named[name], member, f"{at}/{name}")


def _properties(schema: dict) -> dict[str, dict]:
    schema = _resolved(schema)
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        found.update(_properties(part))
    return found


def _part(schema: dict, keyword: str) -> dict | None:
    schema = _resolved(schema)
    if keyword in schema:
        return schema[keyword]
    parts = (_part(part, keyword) for part in schema.get("allOf", ()))
    return next((part for part in parts if part), None)


def _schema(with_content: dict, media: str) -> dict:
    return _resolved(with_content)["content"][media]["schema"]


def _resolved(part: dict) -> dict:
    while "$ref" in part:
        found: Any = document()
        for word in part["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        part = found
    return part
