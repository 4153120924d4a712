"""A page of a shop on an origin of its own, with as strict a policy as there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from rekindle.ledger import ApiKey, Scope
from rekindle.messages import DeliveryKind
from rekindle.web.api import build_api
from rekindle.web.api.inapp import sign_person
from rekindle.web.portal import build_app
from rekindle.worker import Showing, Told
from tests.web.api.caller import serving
from tests.web.api.fake_intake import NOW, FakeIntake
from tests.web.api.inapp.fake_kept import HOUR, SECRET, FakeKept
from tests.web.portal.visitor import FakeOptOuts

HTML = """\
<!doctype html><html lang="{language}"><meta name="viewport" content="width=device-width">
<title>Shop</title><main><h1>Shop</h1><button id="first">Buy</button></main>
<script src="{site}/in-app/1.js" data-key="browser" data-token="{token}" data-look="{look}" defer>
</script></html>"""


class BrowserKeys(FakeIntake):
    """Knows the key of the page."""

    def key_of(self, secret: str) -> ApiKey | None:
        known = secret == "browser"
        return ApiKey("page", "web", frozenset({Scope.BROWSER}), NOW) if known else None


class OneMessage(FakeKept):
    """Shows what a test says, to Ada."""

    def __init__(self) -> None:
        super().__init__()
        self.now_shown: Showing | None = None
        self.asked = 0
        self._heard = Condition()

    def ask(self, user: str, source: str) -> Showing | None:
        with self._heard:
            self.asked += 1
            self._heard.notify_all()
        return self.now_shown if user == "ada" else None

    def tell(self, user: str, source: str, said: Sequence[tuple[str, DeliveryKind]]) -> Told:
        with self._heard:
            told = super().tell(user, source, said)
            self._heard.notify_all()
        return told

    def hears(self, condition: Callable[[], bool]) -> bool:
        """Return whether what a page asks or tells makes it so within a few seconds."""
        with self._heard:
            return self._heard.wait_for(condition, timeout=20)

    @property
    def words(self) -> list[str]:
        """Return what was told, in order."""
        return [kind.value for *_, kind in self.told]


@dataclass
class ShopPage:
    """Where the page is, and what stands behind it."""

    kept: OneMessage
    language: str = "en"
    look: str = "dialog"
    user: str = "ada"
    url: str = ""
    site: str = ""
    policies: list[str] = field(default_factory=list)

    def html(self) -> str:
        """Return the page."""
        token = sign_person(SECRET, self.user, NOW + HOUR)
        return HTML.format(language=self.language, look=self.look, site=self.site, token=token)


Start = Callable[..., Any]


@contextmanager
def serving_shop() -> Iterator[ShopPage]:
    """Serve the shop's page, and portal and API on another origin."""
    page = ShopPage(OneMessage())

    def shop(environ: dict[str, Any], start: Start) -> list[bytes]:
        policy = f"default-src 'none'; script-src {page.site}; connect-src {page.site}"
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", policy),
        ]
        start("200 OK", headers)
        return [page.html().encode()]

    with ExitStack() as stack:
        page.url = f"http://127.0.0.1:{stack.enter_context(serving(shop))}"
        portal = build_app(FakeOptOuts(), b"secret")
        api = build_api(BrowserKeys(), kept=page.kept, origins=[page.url])

        def site(environ: dict[str, Any], start: Start) -> Any:
            is_api = environ["PATH_INFO"].startswith("/v1/")
            return (api if is_api else portal)(environ, start)

        page.site = f"http://127.0.0.1:{stack.enter_context(serving(site))}"
        yield page
