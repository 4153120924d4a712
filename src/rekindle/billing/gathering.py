"""Lists everything a biller has into files, from which an import makes facts.

A listing of a large account takes hours. After each page its cursor is kept with the length of
what was written by then, so that whoever is killed goes on there, and nothing stands twice.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rekindle.billing.folding import Kept, SeenFact, write_fact
from rekindle.billing.model import Biller

NOTHING: Mapping[str, Any] = {
    "began": "",
    "cursor": "",
    "length": 0,
    "count": 0,
    "is_done": False,
}

logger = logging.getLogger(__name__)


def gather(
    biller: Biller,
    folder: Path,
    *,
    now: datetime,
    progress: Callable[[str], None] = lambda text: None,
) -> None:
    """List each kind into ``KIND.jsonl`` of the folder, going on where an earlier one stopped.

    What is listed counts as seen at ``now``, which is when this process began to list.

    Raises:
        BillerError: the biller did not answer; what was listed by then is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for kind in biller.kinds:
        mark = _read_mark(folder, kind)
        while not mark["is_done"]:
            page = biller.list_page(kind, mark["cursor"])
            lines = "".join(write_fact(one, now) + "\n" for one in page.statements).encode()
            mark = {
                "began": mark["began"] or now.isoformat(),
                "cursor": page.cursor,
                "length": _append(folder / f"{kind}.jsonl", mark["length"], lines),
                "count": mark["count"] + len(page.statements),
                "is_done": not page.cursor,
            }
            _write_mark(folder, kind, mark)
            progress(f"{kind}: {mark['count']:,}")


def began_at(folder: Path, kinds: Iterable[str]) -> datetime | None:
    """Return when the listing that is under way began, None where none is."""
    begun = [mark["began"] for kind in kinds if (mark := _read_mark(folder, kind))["began"]]
    return min((datetime.fromisoformat(one) for one in begun), default=None)


def listed(folder: Path, kinds: Iterable[str]) -> Iterator[SeenFact]:
    """Yield what a whole listing says, as far as its marks say that it was written."""
    for kind in kinds:
        left = _read_mark(folder, kind)["length"]
        with (folder / f"{kind}.jsonl").open("rb") as file:
            while left > 0:
                line = file.readline()
                left -= len(line)
                yield SeenFact.read(json.loads(line))


def begin_anew(folder: Path, kinds: Iterable[str]) -> None:
    """Let the next listing begin from the beginning."""
    for kind in kinds:
        (folder / f"{kind}.mark").unlink(missing_ok=True)
        (folder / f"{kind}.jsonl").unlink(missing_ok=True)


def read_kept(folder: Path) -> Kept:
    """Return what was remembered of what was imported before, nothing where it is unreadable."""
    path = folder / "kept.json"
    try:
        return Kept.read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Kept()
    except (ValueError, LookupError, TypeError, AttributeError):
        logger.warning(
            "%s is of another form, and is begun anew: the price of today is taken as that from "
            "the beginning of each subscription",
            path,
        )
        return Kept()


def write_kept(folder: Path, kept: Kept) -> None:
    """Remember what was imported."""
    _replace(folder / "kept.json", json.dumps(kept.written()).encode())


def _append(path: Path, length: int, lines: bytes) -> int:
    """Write after so many bytes, and cut off what a killed listing left behind them."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(length)
        file.seek(length)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    return length + len(lines)


def _read_mark(folder: Path, kind: str) -> dict[str, Any]:
    """Return how far the listing of a kind is; at its beginning where that is unreadable."""
    path = folder / f"{kind}.mark"
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return dict(NOTHING)
    except ValueError:
        found = {}
    if found.keys() == NOTHING.keys():
        return found
    logger.warning("%s is of another form; %s are listed from the beginning", path, kind)
    return dict(NOTHING)


def _write_mark(folder: Path, kind: str, mark: Mapping[str, Any]) -> None:
    _replace(folder / f"{kind}.mark", json.dumps(mark).encode())


def _replace(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(body)
    fresh.replace(path)
