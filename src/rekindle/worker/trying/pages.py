"""Saves a preview: each message as HTML and text, and one page with all of them side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from rekindle.content import render_page
from rekindle.errors import WorkError
from rekindle.wording import counted
from rekindle.worker.trying.letters import Draft
from rekindle.worker.trying.pictures import Pane, Shot, find_browser, take_pictures

INDEX = "index.html"
# The page beside an e-mail that shows it as a reader with a dark screen sees it.
DARK = ".dark.html"
DESKTOP, PHONE = 680, 375
_IS_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Preview:
    """What was saved, and what was not: ``note`` says why there are no pictures."""

    index: Path
    letters: Sequence[Draft]
    pictures: int
    note: str = ""


def save_preview(
    letters: Sequence[Draft], folder: Path, *, title: str, at: datetime, with_pictures: bool = True
) -> Preview:
    """Write the files of a preview into ``folder`` and return what was written.

    Raises:
        WorkError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for letter in letters:
            _save(letter, folder)
        pictures, note = _picture(letters, folder) if with_pictures else ([], "")
        index = folder / INDEX
        index.write_text(_index(letters, title, at, pictures), encoding="utf-8")
    except OSError as error:
        raise WorkError(f"{folder} cannot be written: {error}") from error
    return Preview(index, letters, len(pictures), note)


def stem_of(letter: Draft) -> str:
    """Return how a message's files are called, before their endings."""
    words = [letter.template, letter.channel, letter.variant, letter.reader.label]
    tidy = "-".join(_UNSAFE.sub("-", word).strip("-")[:40] for word in words if word)
    return f"{letter.number:02}-{letter.place}-{tidy}"


def _save(letter: Draft, folder: Path) -> None:
    path = folder / stem_of(letter)
    text = "\n\n".join(value for name, value in letter.parts.items() if name in _SHOWN and value)
    (path.parent / f"{path.name}.txt").write_text(letter.trouble or text, encoding="utf-8")
    if html := letter.parts.get("html", ""):
        (path.parent / f"{path.name}.html").write_text(html, encoding="utf-8")
        dark = _IS_DARK.sub("(min-width: 0)", html)
        (path.parent / f"{path.name}{DARK}").write_text(dark, encoding="utf-8")


_SHOWN = ("subject", "title", "text", "url")


def _picture(letters: Sequence[Draft], folder: Path) -> tuple[list[Path], str]:
    browser = find_browser()
    if browser is None:
        return [], "no pictures were taken: there is no chromium on the PATH"
    first = letters[0].number if letters else 0
    real = letters[0].reader.label if letters else ""
    # Each message for one reader, and the first for all: a picture takes seconds.
    chosen = [
        one
        for one in letters
        if "html" in one.parts and (one.reader.label == real or one.number == first)
    ]
    shots = [_shot(folder / stem_of(one)) for one in chosen]
    taken = take_pictures(browser, shots)
    missed = len(shots) - len(taken)
    return taken, f"{counted(missed, 'picture')} could not be taken" if missed else ""


def _shot(stem: Path) -> Shot:
    page, dark = (stem.parent / f"{stem.name}{ending}" for ending in (".html", DARK))
    panes = (Pane(page, DESKTOP), Pane(page, PHONE), Pane(dark, DESKTOP))
    return Shot(stem.parent / f"{stem.name}.png", panes)


def _index(letters: Sequence[Draft], title: str, at: datetime, pictures: Sequence[Path]) -> str:
    page = files("rekindle.worker.trying").joinpath("index.html").read_text(encoding="utf-8")
    taken = {picture.name for picture in pictures}
    shown = [_shown(one, taken) for one in letters]
    return render_page(page, {"title": title, "at": at.date().isoformat(), "letters": shown})


def _shown(letter: Draft, pictures: set[str]) -> Mapping[str, Any]:
    stem, parts = stem_of(letter), letter.parts
    return {
        "stem": stem,
        "number": letter.number,
        "channel": letter.channel,
        "template": letter.template,
        "variant": letter.variant,
        "reader": letter.reader.label,
        "title": parts.get("subject") or parts.get("title") or "",
        "text": parts.get("text", ""),
        "url": parts.get("url", ""),
        "is_mail": bool(parts.get("html")),
        "size": f"{len(parts.get('html', '').encode()) / 1024:.0f} KB",
        "trouble": letter.trouble,
        "has_picture": f"{stem}.png" in pictures,
    }
