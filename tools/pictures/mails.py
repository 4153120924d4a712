"""The starter mails in pictures: on a desktop, on a phone, and on a phone by night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rekindle.journeys import sequence_journeys, starter_journeys
from rekindle.runtime import Workspace
from rekindle.worker import write_letters
from rekindle.worker.trying.letters import Draft
from tools.pictures.camera import DESK, PHONE, Photo, View
from tools.pictures.shop import ADA, NOW

# Those the documentation shows, by the template.
SHOWN = ("fashion-new", "phase-value", "points-back", "software-start", "payment-failed")


def write_mails(shop: Workspace, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each mail of each starter by its template, as a page for Ada in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*starter_journeys(), *sequence_journeys()):
        journey = shop.journey(Path(name).stem)
        letters = write_letters(shop, journey, NOW, customer=ADA)
        for letter in {one.template: one for one in reversed(letters) if _is_adas(one)}.values():
            page = folder / f"{letter.template}.html"
            page.write_text(letter.parts["html"], encoding="utf-8")
            yield letter.template, page


def _is_adas(letter: Draft) -> bool:
    return letter.reader.person == ADA and bool(letter.parts.get("html"))


def mail_photos(shop: Workspace, folder: Path) -> Iterator[Photo]:
    """Yield the picture of each mail: on a desk, on a phone, and on a phone by night."""
    for template, page in write_mails(shop, folder):
        url = page.as_uri()
        views = (View(url, DESK), View(url, PHONE), View(url, PHONE, is_dark=True))
        yield Photo(f"mail-{template}", views, is_shown=template in SHOWN)
