"""The WSGI application: which address leads where, and what goes with every answer.

It takes next to nothing from Django's settings, which are one per process: routes,
pages and secret are its own, so two workspaces can be served side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, URLPattern, path

from rekindle.ledger import configure
from rekindle.web.access import declared_access
from rekindle.web.hiding import hide_in_logs
from rekindle.web.portal.choosing import Choosing
from rekindle.web.portal.inapp import VERSION, script
from rekindle.web.portal.interfaces import Clicks, Customers, Opens, OptOuts, WaysBack
from rekindle.web.portal.pages import Pages
from rekindle.web.portal.rendering import POLICY
from rekindle.web.portal.returning import Returning

# https://owasp.org/www-project-secure-headers/: nothing is loaded, framed or remembered,
# and the address, which is a key, is told to nobody.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True, eq=False)
class Routes:
    """What Django calls a URLconf: the addresses, and a page for each way to miss them."""

    urlpatterns: tuple[URLPattern, ...]
    handler400: Callable[..., HttpResponse]
    handler403: Callable[..., HttpResponse]
    handler404: Callable[..., HttpResponse]
    handler500: Callable[..., HttpResponse]


class Portal(WSGIHandler):
    """Serves ``routes``, and of them only those that say who may see them."""

    def __init__(self, routes: Routes) -> None:
        # Django insists on a setting for routes; ours come with each request instead.
        configure(ROOT_URLCONF=())
        super().__init__()
        self._routes = routes

    def also(self, patterns: tuple[URLPattern, ...]) -> Portal:
        """Return a portal that has these addresses as well."""
        own = (*self._routes.urlpatterns, *patterns)
        return Portal(replace(self._routes, urlpatterns=own))

    def get_response(self, request: WSGIRequest) -> HttpResponseBase:  # type: ignore[override]
        """Return the answer, with the headers that every answer has."""
        request.urlconf = self._routes  # type: ignore[assignment]
        response = super().get_response(request)
        policy = response.get("Content-Security-Policy", POLICY)
        for name, value in HEADERS.items():
            # An older way to say the same, which knows no origins.
            if name == "X-Frame-Options" and "frame-ancestors 'none'" not in policy:
                continue
            # A page that says otherwise does so for itself: the script is for other sites.
            response.headers.setdefault(name, value)
        if isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
            if request.method == "HEAD":  # the server would send the body along
                response.content = b""
        return response

    def resolve_request(self, request: WSGIRequest) -> ResolverMatch:  # type: ignore[override]
        """Return the view behind an address.

        Raises:
            Http404: there is none, or it does not declare who may see it.
        """
        match = super().resolve_request(request)
        if declared_access(match.func) is None:
            raise Http404
        return match


def build_routes(
    opt_outs: OptOuts,
    secret: bytes,
    find_trouble: Callable[[], str] = lambda: "",
    clicks: Clicks | None = None,
    customers: Customers | None = None,
    opens: Opens | None = None,
    ways_back: WaysBack | None = None,
) -> Routes:
    """Return every address of the portal. Each view declares who may see it."""
    choosing = None if customers is None else Choosing(customers, secret, opt_outs.shop_name)
    pages = Pages(opt_outs, secret, find_trouble, clicks, choosing, opens)
    own: tuple[URLPattern, ...] = ()
    if ways_back is not None:
        returning = Returning(ways_back, secret, opt_outs.shop_name)
        own = (path("return/<str:token>", returning.back, name="return"),)
    if choosing is not None:
        own += (
            path("p/<str:token>", choosing.preferences, name="preferences"),
            path("export/<str:token>", choosing.export, name="export"),
            path("erase/<str:token>", choosing.erase, name="erase"),
            path("confirm/<str:token>", choosing.confirm, name="confirm"),
        )
    return Routes(
        urlpatterns=(
            path("", pages.home, name="home"),
            path("u/<str:token>", pages.unsubscribe, name="unsubscribe"),
            path("c/<str:token>", pages.click, name="click"),
            path(f"in-app/{VERSION}.js", script, name="in-app"),
            path("o/<str:token>", pages.opening, name="opening"),
            path("healthz", pages.health, name="health"),
            *own,
        ),
        handler400=pages.bad_request,
        handler403=pages.not_found,
        handler404=pages.not_found,
        handler500=pages.failed,
    )


def build_app(
    opt_outs: OptOuts,
    secret: bytes,
    *,
    find_trouble: Callable[[], str] = lambda: "",
    clicks: Clicks | None = None,
    customers: Customers | None = None,
    opens: Opens | None = None,
    ways_back: WaysBack | None = None,
) -> Portal:
    """Return the portal of one business as a WSGI application.

    ``secret`` is the key its links were signed with; ``find_trouble`` says in a line what
    keeps the business from working, if anything does; ``clicks`` where links lead, ``opens``
    of which messages an opening is noticed, ``ways_back`` what was kept for whom. Without
    ``customers`` nobody can choose anything but to leave. Any host name is answered: no page
    depends on the one it was asked for by.
    """
    hide_in_logs()
    return Portal(build_routes(opt_outs, secret, find_trouble, clicks, customers, opens, ways_back))
