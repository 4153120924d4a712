"""The WSGI application: which address leads where, and what goes with every answer.

Before a view runs, its declared access is looked up and the key it wants is checked;
there is no other way to a view.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rekindle.errors import WorkError
from rekindle.web.access import Access, declared_access
from rekindle.web.api.inapp import ASK, EVENTS, InApp, Keeper
from rekindle.web.api.interfaces import Intake, Notices, Reports
from rekindle.web.api.leaving import PATH as LEAVING
from rekindle.web.api.leaving import LeaveLinking, Leaving
from rekindle.web.api.messages import Refused, Request, Response
from rekindle.web.api.metrics import PATH as METRICS
from rekindle.web.api.metrics import Figures, Measuring
from rekindle.web.api.notices import PATH as NOTICES
from rekindle.web.api.notices import Noticing
from rekindle.web.api.openapi import Describing
from rekindle.web.api.reports import PATH as REPORTS
from rekindle.web.api.reports import Reporting
from rekindle.web.api.tracking import Tracking

# https://owasp.org/www-project-secure-headers/: answers are for machines, and kept nowhere.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
RETRY_SECONDS = 1
PREFLIGHT_SECONDS = 600
SENT_ALONG = "authorization, content-type, content-encoding, rekindle-person"

logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True)
class Endpoint:
    """An address: the method it takes, and the view behind it."""

    path: str
    method: str
    view: Callable[..., Response]


class Api:
    """Serves ``routes``, and of them only those that say who may call them.

    ``origins`` are the web origins whose pages may call it from a browser.
    """

    def __init__(
        self, routes: Iterable[Endpoint], intake: Intake, *, origins: Iterable[str] = ()
    ) -> None:
        self.routes = {route.path: route for route in routes}
        self._intake = intake
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> list[bytes]:
        """Answer one request."""
        request = Request(environ)
        answer = self._answer(request)
        body = answer.body
        headers = {
            "Content-Type": "application/json",
            **HEADERS,
            **self._sharing(request),
            **answer.headers,
            "Content-Length": str(len(body)),
        }
        start_response(f"{answer.status.value} {answer.status.phrase}", list(headers.items()))
        return [b"" if request.method == "HEAD" else body]

    def _answer(self, request: Request) -> Response:
        try:
            return self._routed(request)
        except Refused as refused:
            return refused.answer
        except WorkError:
            logger.exception("a request could not be taken now")
            return Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "nothing was kept; send the same again",
                **{"Retry-After": str(RETRY_SECONDS)},
            ).answer
        except Exception:
            logger.exception("a request failed")
            return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "nothing was kept").answer

    def _routed(self, request: Request) -> Response:
        route = self.routes.get(request.path)
        access = declared_access(route.view) if route else None
        if route is None or access is None:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing at this address")
        if request.method == "OPTIONS" and self._sharing(request):
            return Response(None, HTTPStatus.NO_CONTENT, _preflight(route))
        if request.method != route.method and not (request.method, route.method) == ("HEAD", "GET"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"send {route.method}", Allow=route.method)
        return route.view(request) if access.is_open else self._with_key(request, route, access)

    def _with_key(self, request: Request, route: Endpoint, access: Access) -> Response:
        key = self._intake.key_of(request.secret) if request.secret else None
        if key is None:
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "give a write key: as the user of basic auth, a bearer token, or writeKey",
                **{"WWW-Authenticate": 'Basic realm="rekindle"'},
            )
        if not access.scopes & key.scopes:
            wanted = " or ".join(sorted(access.scopes))
            raise Refused(HTTPStatus.FORBIDDEN, f"this needs a key of the scope {wanted}")
        return route.view(request, key)

    def _sharing(self, request: Request) -> Mapping[str, str]:
        origin = request.header("Origin")
        if origin not in self._origins:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _preflight(route: Endpoint) -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": route.method,
        "Access-Control-Allow-Headers": SENT_ALONG,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }


def build_routes(
    intake: Intake,
    reports: Reports | None = None,
    figures: Figures | None = None,
    inapp: InApp | None = None,
    notices: Notices | None = None,
    leaving: LeaveLinking | None = None,
) -> tuple[Endpoint, ...]:
    """Return every address of the API. Each view declares who may call it."""
    asked = () if inapp is None else ((ASK, "GET", inapp.ask), (EVENTS, "POST", inapp.report))
    if leaving is not None:
        asked = (*asked, (LEAVING, "POST", Leaving(leaving).link))
    outlets = sorted(reports.outlets) if reports is not None else ()
    tracking, describing = Tracking(intake), Describing()
    return (
        *(Endpoint(f"/v1/{word}", "POST", tracking.batch) for word in ("batch", "import", "b")),
        *(
            Endpoint(f"/v1/{word}", "POST", tracking.person)
            for word in ("identify", "alias", "group", "i", "a", "g")
        ),
        *(
            Endpoint(f"/v1/{word}", "POST", tracking.behaviour)
            for word in ("track", "page", "screen", "t", "p", "s")
        ),
        Endpoint("/v1/openapi.json", "GET", describing.document),
        *(
            Endpoint(f"{REPORTS}{outlet}", "POST", Reporting(reports, outlet).take)
            for outlet in outlets
            if reports is not None
        ),
        *(
            Endpoint(f"{NOTICES}{provider}", "POST", Noticing(notices).take)
            for provider in sorted(notices.providers if notices is not None else ())
            if notices is not None
        ),
        *(Endpoint(*one) for one in asked),
        *(Endpoint(METRICS, "GET", Measuring(one).show) for one in [figures] if one is not None),
    )


def build_api(
    intake: Intake,
    *,
    reports: Reports | None = None,
    figures: Figures | None = None,
    kept: Keeper | None = None,
    notices: Notices | None = None,
    leaving: LeaveLinking | None = None,
    origins: Iterable[str] = (),
) -> Api:
    """Return the API as a WSGI application, to be served under ``/v1/`` and at ``/metrics``.

    Without ``kept`` nobody may ask what a person is to see.
    """
    pages = tuple(origins)
    inapp = None if kept is None else InApp(kept, pages)
    routes = build_routes(intake, reports, figures, inapp, notices, leaving)
    return Api(routes, intake, origins=pages)
