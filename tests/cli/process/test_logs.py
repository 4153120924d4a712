"""A log gives nobody away: no address, no number, no secret, no key, no signed link."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from rekindle.cli.process.logs import JsonFormatter, PlainFormatter

KEY = "rk_" + "a1B2-_" * 7
TOKEN = "WyIxMDU3Iiwid2luYmFjayJd.c2lnbmF0dXJlLW9mLWl0"


def record(text: str, *given: object, **extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("rekindle.worker.ticking")
    info = sys.exc_info() if extra.pop("failed", False) else None
    return logger.makeRecord(logger.name, logging.ERROR, "x.py", 1, text, given, info, extra=extra)


def written(text: str, *given: object, **extra: Any) -> dict[str, Any]:
    line = JsonFormatter().format(record(text, *given, **extra))
    assert "\n" not in line
    entry = json.loads(line)
    assert isinstance(entry, dict)
    return entry


def test_a_line_is_one_object_with_time_level_room_and_ids() -> None:
    about = {"person": "1057", "sent": 3, "level": "cannot be changed"}
    entry = written("%d sent", 3, about=about)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "error", "room": "worker", "event": "3 sent", "person": "1057", "sent": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    "private",
    [
        "alice@example.com",
        "Zoë.O'Hara+win@mail.example.co.uk",
        "+44 7700 900123",
        "+4915112345678",
        "+1 (212) 555-0123",
        KEY,
        "hunter2-of-the-mail-server",
        "in-a-file-of-its-own",
    ],
)
@pytest.mark.parametrize("place", ["event", "about", "traceback"])
def test_nothing_private_is_in_either_log(
    private: str, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("in-a-file-of-its-own\n")
    monkeypatch.setenv("REKINDLE_SMTP_PASSWORD", "hunter2-of-the-mail-server")
    monkeypatch.setenv("REKINDLE_SECRET_FILE", str(tmp_path / "kept"))
    said = f"550 5.1.1 <{private}>: no such user, see /u/{TOKEN}"
    try:
        raise ValueError(said if place == "traceback" else "plain")
    except ValueError:
        entry = record(
            said if place == "event" else "delivery",
            about={"reply": said} if place == "about" else {},
            failed=True,
        )
    for formatter in (JsonFormatter(), PlainFormatter()):
        line = formatter.format(entry)
        assert private not in line
        assert json.dumps(private)[1:-1] not in line
        assert TOKEN not in line


def test_what_is_not_private_stays() -> None:
    said = (
        "the ledger at postgresql://rekindle@db.example.com/x is away; message 3f2a91c07be4, 12:30"
    )
    assert written(said)["event"] == said
    assert "hush" not in written("postgresql://rekindle:hush@db.example.com/x")["event"]


def test_a_line_holds_whatever_was_said() -> None:
    entry = written("two\nlines, \x1b[2J and a half \ud800 letter")
    assert entry["event"].startswith("two\nlines")
