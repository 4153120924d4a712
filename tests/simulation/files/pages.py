"""The page of wishes, as somebody opens it, leaves it open and sends it as it was shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.runtime import Workspace
from rekindle.web.portal import build_portal
from tests.simulation.files.beings import Being
from tests.web.portal.visitor import Visitor

FIELD = re.compile(r'<input type="(\w+)"[^>]*? name="(\w+)" value="([^"]*)"( checked)?')
SAVED = 303


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page that somebody has before them: where it is, and what its form would say."""

    being: Being
    path: str
    fields: tuple[tuple[str, str], ...]

    def send(self, space: Workspace) -> bool:
        """Press "save" and change nothing; return whether it was taken."""
        body = urlencode(self.fields).encode()
        return Visitor(build_portal(space)).ask("POST", self.path, body).status == SAVED


def open_page(space: Workspace, being: Being, customer: str) -> OpenPage | None:
    """Open the page of one of somebody's ids; None where the ledger has nobody by it yet."""
    link = PersonLink(customer, space.clock.now() + timedelta(days=30))
    path = f"/p/{sign_link(space.secret, LinkPurpose.PREFERENCES, link)}"
    page = Visitor(build_portal(space)).ask("GET", path).body
    form = page.partition("</form>")[0]
    fields = tuple(
        (name, value)
        for kind, name, value, checked in FIELD.findall(form)
        if kind == "hidden" or checked
    )
    return OpenPage(being, path, fields) if fields else None
