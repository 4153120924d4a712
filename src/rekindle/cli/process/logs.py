"""How the log is written: lines for people, or one JSON object an event for machines.

Neither holds an address, a number somebody is called by, a secret, a key or a signed link,
whatever a library or a server's reply puts into a message.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from rekindle.cli.console import errors, plain

HIDDEN = "…"
NOISY = ("matplotlib", "waitress", "django", "filelock", "stripe", "httpx", "httpx2")
ADDRESS = re.compile(r"(?<![\w/.+%-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
IN_URL = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
PHONE = re.compile(r"(?<![\w.:-])\+\d(?:[ ().-]{0,3}\d){6,14}\b")
# Names under which a machine keeps what nobody may read, or keeps a file with it.
SECRET = re.compile(r"(SECRET|PASSWORD|PASSWD|TOKEN|_KEY|ACCESS_KEY_ID)(_FILE)?$")
SHORTEST_SECRET = 8


class LogFormat(StrEnum):
    """For whom the log is written."""

    TEXT = "text"
    JSON = "json"


def set_up_logs(form: LogFormat, *, is_verbose: bool) -> None:
    """Write everything that is logged to standard error from now on."""
    handler = logging.StreamHandler()
    is_json = form is LogFormat.JSON
    handler.setFormatter(JsonFormatter() if is_json else PlainFormatter())
    level = logging.DEBUG if is_verbose else logging.INFO
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if is_json:
        logging.captureWarnings(True)
        sys.excepthook = _log_crash
        threading.excepthook = lambda given: _log_crash(
            given.exc_type, given.exc_value, given.exc_traceback
        )


def complain(text: str) -> None:
    """Say why a command ends, on standard error: in the log where that is for machines."""
    handlers = logging.getLogger().handlers
    if any(isinstance(handler.formatter, JsonFormatter) for handler in handlers):
        logging.getLogger(__name__).error("%s", text)
    else:
        errors.print(f"error: {text}", style="bold red", markup=False, soft_wrap=True)


class PlainFormatter(logging.Formatter):
    """Writes lines of a log that give nothing away and steer no terminal."""

    def __init__(self, pattern: str = "%(asctime)s %(levelname)s %(message)s") -> None:
        super().__init__(pattern)
        self._secrets = sorted(_secrets(os.environ), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback if there is one."""
        return plain(hide(super().format(record), self._secrets))


class JsonFormatter(logging.Formatter):
    """Writes one JSON object a line: ``time``, ``level``, ``room``, ``event`` and what it is about.

    What a logger is given as ``extra={"about": {...}}``, ids and figures, stands beside them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets = sorted(_secrets(os.environ), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        parts = record.name.split(".")
        is_ours = parts[0] == "rekindle" and len(parts) > 1
        entry: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "room": parts[1] if is_ours else parts[0],
            "event": record.getMessage(),
        }
        entry |= {k: v for k, v in getattr(record, "about", {}).items() if k not in entry}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        entry = {name: self._safe(value) for name, value in entry.items()}
        return json.dumps(entry, ensure_ascii=True, default=str)

    def _safe(self, value: Any) -> Any:
        return hide(value, self._secrets) if isinstance(value, str) else value


def hide(text: str, secrets: list[str]) -> str:
    """Return a text without these secrets, nor addresses, phone numbers, keys and signed links."""
    from rekindle.consent import hide_permissions

    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    text = IN_URL.sub(rf"\1:{HIDDEN}@", hide_permissions(text))
    return PHONE.sub(HIDDEN, ADDRESS.sub(HIDDEN, text))


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what the environment keeps that nobody may read, where it is worth looking for."""
    for name, value in environment.items():
        found = SECRET.search(name)
        if found and found[2]:
            try:
                value = Path(value).read_text(encoding="utf-8").strip()  # noqa: PLW2901
            except (OSError, UnicodeDecodeError):
                continue
        if found and len(value) >= SHORTEST_SECRET:
            yield value


def _log_crash(kind: type[BaseException], error: BaseException | None, trace: Any) -> None:
    found = (kind, error, trace) if error is not None else None
    logging.getLogger(__name__).critical("an unexpected failure", exc_info=found)
