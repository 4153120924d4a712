"""Takes pictures of pages by a browser that is there, and does without where none is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HEIGHT = 1400
PATIENCE_SECONDS = 60
GAP = 20


@dataclass(frozen=True, slots=True)
class Pane:
    """A page as it stands in a picture, and how wide it is."""

    page: Path
    width: int


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to take: of pages side by side, into which file.

    A browser takes a second or more to begin and next to nothing for a page, so what
    belongs together is one picture.
    """

    picture: Path
    panes: Sequence[Pane]


def find_browser() -> str | None:
    """Return the browser that takes the pictures, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def take_pictures(browser: str, shots: Iterable[Shot]) -> list[Path]:
    """Return the pictures that could be taken."""
    with tempfile.TemporaryDirectory() as profile:
        return [shot.picture for shot in shots if _take(browser, shot, Path(profile))]


def _take(browser: str, shot: Shot, profile: Path) -> bool:
    page = profile / "frames.html"
    page.write_text(_lay_out(shot.panes), encoding="utf-8")
    width = sum(one.width for one in shot.panes) + GAP * (len(shot.panes) - 1)
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        f"--user-data-dir={profile / 'browser'}",
        f"--window-size={width},{HEIGHT}",
        f"--screenshot={shot.picture.resolve()}",
        # Root has no sandbox to run it in.
        *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        page.as_uri(),
    ]
    shot.picture.unlink(missing_ok=True)
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return shot.picture.is_file()


def _lay_out(panes: Sequence[Pane]) -> str:
    """Return the page on which each frame is as wide as its reader's screen.

    Its queries for the width of the screen are answered by the frame. A window by itself
    would not do: a browser's is never as narrow as a phone. No frame is in a sandbox: it would
    be drawn by a process of its own, which the picture does not wait for.
    """
    shown = "".join(
        f'<iframe src="{escape(one.page.resolve().as_uri(), quote=True)}" '
        f'style="flex:none;width:{one.width}px;height:{HEIGHT}px;border:0"></iframe>'
        for one in panes
    )
    style = f"margin:0;display:flex;gap:{GAP}px;background:#888"
    return f'<meta charset="utf-8"><body style="{style}">{shown}'
