"""The ways by which an in-app message reaches its person: a folder, or when they ask."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.channels.inapp.settings import SECRET, InAppSettings
from rekindle.errors import RefusedContentError
from rekindle.messages import (
    FOR_EVER,
    AddressKind,
    Capabilities,
    Message,
    Outlet,
    OutletEntry,
    Receipt,
)

# Whoever sees one is awake and in the app, so no hour is a wrong one. Where the law asks for
# consent all the same is said by its rows (``rekindle.consent``).
KEPT = Capabilities(
    AddressKind.PERSON,
    idempotent_for=FOR_EVER,
    has_receipts=True,
    needs_consent=False,
    needs_quiet_hours=False,
    can_be_withdrawn=True,
    is_asked_for=True,
)
FOLDER = replace(
    KEPT, has_receipts=False, reaches_people=False, can_be_withdrawn=False, is_asked_for=False
)
# A page, an address within the shop, or a link into its app; never a script.
URL = re.compile(
    r"(?!(?i:javascript|data|vbscript|file|blob):)(/(?!/)|[A-Za-z][A-Za-z0-9+.-]*://).*"
)


class KeptOutlet:
    """Implements ``rekindle.messages.Outlet``: a message that was taken is kept in the ledger."""

    def send(self, message: Message) -> Receipt:
        """Take a message."""
        require_words(message)
        return Receipt(message.key)

    def close(self) -> None:
        """Nothing is kept open."""


def require_words(message: Message) -> dict[str, str]:
    """Return what a message says.

    Raises:
        RefusedContentError: it says nothing, or leads where nobody should be led.
    """
    said = {name: message.parts.get(name, "").strip() for name in ("title", "body", "url")}
    if not said["title"] or not said["body"]:
        raise RefusedContentError("its template has no title, or no body, for an app to show")
    if said["url"] and not URL.fullmatch(said["url"]):
        raise RefusedContentError(
            "its url is no https address, no path of the shop and no link into its app"
        )
    return said


def write_file(message: Message) -> bytes:
    """Return the file of a message: what is said, to whom, and until when."""
    until = None if message.leave_by is None else message.leave_by.isoformat()
    written = {
        **require_words(message),
        "key": message.key,
        "person": message.person,
        "until": until,
    }
    return json.dumps(written, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def build_folder(settings: InAppSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each message to a file."""
    return FolderOutlet(base / settings.folder.path, "json", write_file)


def build_kept(settings: InAppSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that keeps each message until it is asked for."""
    return KeptOutlet()


OUTLETS = (
    OutletEntry(
        "inapp_folder", "writes each message to a file and shows nothing", FOLDER, build_folder
    ),
    OutletEntry(
        "inapp_kept",
        "keeps each message until the shop's app or page asks for it",
        KEPT,
        build_kept,
        secrets=(SECRET,),
    ),
)
