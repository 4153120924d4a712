"""The ways by which a letter leaves. What each needs is loaded when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.channels.letter.settings import LOB_KEY, LOB_REPORTS, LetterSettings
from rekindle.channels.letter.webhook import build_lob_reports
from rekindle.messages import FOR_EVER, AddressKind, Capabilities, Outlet, OutletEntry, Roster

# A letter wakes nobody, and the rules on electronic mail do not speak of it: it goes to who did
# not object (GDPR art. 6(1)(f), 21(2)). Where a law asks for more, a row of it says so.
LETTERS = Capabilities(
    AddressKind.POSTAL, needs_consent=False, needs_quiet_hours=False, is_on_paper=True
)


def build_folder(settings: LetterSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each letter to a text file."""
    from rekindle.channels.letter.writing import write_file

    return FolderOutlet(
        base / settings.folder.path, "txt", lambda message: write_file(message, settings)
    )


def build_pdf(settings: LetterSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each letter to a PDF."""
    from rekindle.channels.letter.pdf.outlet import PdfOutlet

    return PdfOutlet(settings, base / settings.pdf.path)


def build_lob(settings: LetterSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each letter to Lob."""
    from rekindle.channels.letter.lob.outlet import LobOutlet

    return LobOutlet(settings, secrets.get(LOB_KEY, ""))


def build_lob_roster(settings: LetterSettings, *, base: Path, secrets: Mapping[str, str]) -> Roster:
    """Return who calls letters back that Lob has not printed."""
    from rekindle.channels.letter.lob.calling import LobRoster

    return LobRoster(settings, secrets.get(LOB_KEY, ""))


def _connections(settings: LetterSettings) -> int:
    return settings.connections


OUTLETS = (
    OutletEntry(
        "letter_folder",
        "writes each letter as text and posts nothing",
        replace(LETTERS, idempotent_for=FOR_EVER, reaches_people=False),
        build_folder,
    ),
    OutletEntry(
        "letter_pdf",
        "writes each letter as a PDF ready to print, with a list of them",
        # The printer's copy is taken away some day; what is written again then is another one.
        replace(LETTERS, idempotent_for=timedelta(days=1)),
        build_pdf,
    ),
    OutletEntry(
        "letter_lob",
        "has letters printed and posted by Lob",
        # https://docs.lob.com/#tag/Idempotent-Requests: a key is known for 24 hours.
        replace(
            LETTERS,
            idempotent_for=timedelta(hours=24),
            has_receipts=True,
            can_be_called_back=True,
        ),
        build_lob,
        secrets=(LOB_KEY, LOB_REPORTS),
        webhook=build_lob_reports,
        roster=build_lob_roster,
        connections=_connections,
    ),
)
