"""The OpenAPI document of the API, from the models that read it.

Served at ``/v1/openapi.json`` and published as ``docs/reference/openapi.json``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rekindle.intake import PROBLEMS, EventType, Problem, WireEvent
from rekindle.web.access import open_to_anyone
from rekindle.web.api.inapp.describing import describe_paths, describe_shapes
from rekindle.web.api.leaving import describe_leaving
from rekindle.web.api.messages import (
    LARGEST_BODY_BYTES,
    LARGEST_UNPACKED_BYTES,
    MOST_EVENTS,
    Request,
    Response,
)

VERSION = "1"
SUMMARIES = {
    EventType.IDENTIFY: "Say who a person is, and what they agreed to.",
    EventType.TRACK: "Say what a person did.",
    EventType.PAGE: "Say that a person looked at a page.",
    EventType.SCREEN: "Say that a person looked at a screen of an app.",
    EventType.ALIAS: "Say that two ids are one person.",
    EventType.GROUP: "Say which group a person belongs to; kept, without effect.",
}
FAILURES = {
    "400": "The body could not be read as an event or a batch.",
    "401": "No key, an unknown one, or one that was revoked.",
    "403": "The key lacks the scope.",
    "413": f"More than {MOST_EVENTS} events, more than {LARGEST_BODY_BYTES:,} bytes as sent, or "
    f"more than {LARGEST_UNPACKED_BYTES:,} unpacked.",
    "415": "A Content-Encoding other than gzip.",
    "503": "The ledger is busy or away; nothing was kept, send the same after Retry-After.",
}


class Describing:
    """The view that shows the document."""

    @open_to_anyone("it describes the software, which is public, and nothing of the business")
    def document(self, request: Request) -> Response:
        """Return the OpenAPI document."""
        return Response(build_openapi())


@cache
def build_openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every call."""
    paths = {f"/v1/{kind}": _call(kind.value, SUMMARIES[kind], "Event") for kind in EventType}
    paths["/v1/batch"] = _call("batch", f"Send up to {MOST_EVENTS} events.", "Batch")
    paths["/v1/import"] = _call("import", "The same as batch.", "Batch")
    paths["/v1/openapi.json"] = {
        "get": {
            "operationId": "openapi",
            "summary": "This document.",
            "security": [],
            "responses": {"200": {"description": "This document."}},
        }
    }
    paths.update(describe_paths() | describe_leaving())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rekindle: events in",
            "version": VERSION,
            "description": "Speaks the HTTP tracking shape of Segment's client libraries.",
        },
        "paths": paths,
        "security": [{"writeKey": []}, {"bearer": []}],
        "components": {"schemas": _schemas(), "securitySchemes": _security()},
    }


def _call(name: str, summary: str, shape: str) -> dict[str, Any]:
    reference = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    taken = {"schema": {"$ref": "#/components/schemas/Taken"}}
    failures = {status: {"description": text} for status, text in FAILURES.items()}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "requestBody": {"required": True, "content": {"application/json": reference}},
            "responses": {
                "200": {
                    "description": "Taken; events that were refused are listed.",
                    "content": {"application/json": taken},
                },
                **failures,
            },
        }
    }


def _security() -> dict[str, Any]:
    return {
        "writeKey": {
            "type": "http",
            "scheme": "basic",
            "description": "The write key as user, an empty password.",
        },
        "bearer": {"type": "http", "scheme": "bearer"},
    }


def _schemas() -> dict[str, Any]:
    text = {"type": "string"}
    place = {"index": {"type": "integer"}, "messageId": {"type": ["string", "null"]}}
    meanings = "; ".join(f"{problem}: {PROBLEMS[problem]}" for problem in Problem)
    reason = {**text, "enum": [problem.value for problem in Problem], "description": meanings}
    refused = {**place, "reason": reason, "detail": text}
    event = {"$ref": "#/components/schemas/Event"}
    return {
        "Event": WireEvent.model_json_schema(by_alias=True),
        "Batch": {"required": ["batch"]}
        | _object(
            batch={"type": "array", "maxItems": MOST_EVENTS, "items": event},
            sentAt={**text, "format": "date-time"},
        ),
        "Taken": {"required": ["success"]}
        | _object(
            success={"const": True},
            accepted={"type": "integer"},
            refused={"type": "array", "items": _object(**refused)},
            notes={"type": "array", "items": _object(**place, note=text)},
        ),
        **describe_shapes(),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}
