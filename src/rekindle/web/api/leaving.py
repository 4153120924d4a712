"""The call by which the business's own app gets a link to the page on which somebody cancels.

For a server's key alone: a browser says of whom it speaks, and cannot be believed.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Protocol

from rekindle.ledger import ApiKey, Scope
from rekindle.vocabulary import is_usable_id
from rekindle.web.access import open_to_keys
from rekindle.web.api.messages import Refused, Request, Response
from rekindle.worker import LeaveLink

PATH = "/v1/subscriptions/leave"
TEXT = {"type": "string"}
FAILURES = {
    "400": "Nobody is named, or the body could not be read.",
    "401": "No key, an unknown one, or one that was revoked.",
    "403": "The key lacks the scope events.",
    "404": "They are not known, or have no such subscription.",
    "503": "The biller or the ledger is away; ask again after Retry-After.",
}


class LeaveLinking(Protocol):
    """Makes links to the page on which a subscription is cancelled."""

    def link(self, user: str, source: str, subscription: str) -> LeaveLink | None:
        """Return the link to a subscription of somebody, the one that runs where "".

        None where they are not known, or it is not theirs.

        Raises:
            WorkError: nobody can say now.
        """


class Leaving:
    """The view."""

    def __init__(self, links: LeaveLinking) -> None:
        self._links = links

    @open_to_keys(Scope.EVENTS)
    def link(self, request: Request, key: ApiKey) -> Response:
        """Return the address of the page, and until when it works."""
        body = request.document
        given: dict[str, Any] = body if isinstance(body, dict) else {}
        user, subscription = given.get("user"), given.get("subscription", "")
        if not isinstance(user, str) or not is_usable_id(user):
            raise Refused(HTTPStatus.BAD_REQUEST, "say for whom: user, the customer's id")
        if not isinstance(subscription, str) or (subscription and not is_named(subscription)):
            raise Refused(HTTPStatus.BAD_REQUEST, "subscription is an id of the biller's")
        found = self._links.link(user, key.source, subscription)
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, "they are not known, or it is not theirs")
        return Response({"success": True, "url": found.url, "until": found.until.isoformat()})


def is_named(subscription: str) -> bool:
    """Return whether something may be the id of a subscription: in a link a blank ends it."""
    return is_usable_id(subscription) and not any(one.isspace() for one in subscription)


def describe_leaving() -> dict[str, Any]:
    """Return the call by its address, as the OpenAPI document has it."""
    asked = {
        "type": "object",
        "required": ["user"],
        "properties": {
            "user": {**TEXT, "description": "The customer's id."},
            "subscription": {
                **TEXT,
                "description": "The biller's id of theirs; without it the one that runs.",
            },
        },
    }
    told = {
        "type": "object",
        "properties": {
            "success": {"const": True},
            "url": {**TEXT, "format": "uri"},
            "until": {**TEXT, "format": "date-time"},
        },
    }
    failures = {status: {"description": text} for status, text in FAILURES.items()}
    return {
        PATH: {
            "post": {
                "operationId": "leaveLink",
                "summary": "Get a link to the page on which somebody cancels or pauses.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": asked}},
                },
                "responses": {
                    "200": {
                        "description": "The link.",
                        "content": {"application/json": {"schema": told}},
                    },
                    **failures,
                },
            }
        }
    }
