"""The secret of a workspace: found in the environment or in its state, and made once.

It is made only where nothing depends on an earlier one; that a ledger knows it is seen to
by ``rekindle.ledger.require_seal``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from rekindle.config import load_secret
from rekindle.errors import ConfigError

NAME = "REKINDLE_SECRET"
FILE = "state/secret"
BYTES = 32


def find_secret(directory: Path) -> bytes | None:
    """Return the secret of the workspace in ``directory``; None if there is none yet.

    Raises:
        ConfigError: it is empty, cannot be read, or is no text.
    """
    if NAME in os.environ or f"{NAME}_FILE" in os.environ:
        where, text = NAME, load_secret(NAME) or ""
    else:
        path = directory / FILE
        where = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{where} cannot be read ({error}). Nothing is sent, signed or hashed; put it "
                "back from the backup"
            ) from error
    try:
        secret = text.strip().encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{where} is no UTF-8 text; write letters and digits") from error
    if not secret:
        raise ConfigError(
            f"{where} is empty. Nothing is sent, signed or hashed; put the secret back from the "
            "backup, or take the empty one away and run `rekindle accept-secret`"
        )
    return secret


def require_secret(directory: Path, *, may_make: Callable[[], bool] = lambda: True) -> bytes:
    """Return the secret, made now if there is none and ``may_make`` says that it may be.

    Raises:
        ConfigError: as ``find_secret``, or there is none and nothing else would do.
    """
    found = find_secret(directory)
    if found is None and not may_make():
        # Somebody who began at the same moment may have made it, and sealed the ledger since.
        found = find_secret(directory)
        if found is None:
            raise ConfigError(
                f"{directory / FILE} is gone, and this ledger was written with it. Nothing is "
                "sent, signed or hashed. Put it back from the backup, or set REKINDLE_SECRET; if "
                "it is lost for good, `rekindle accept-secret` makes another one, and says what "
                "that costs"
            )
    if found is None:
        make_secret(directory)
        found = find_secret(directory)
    assert found is not None, "it was made"
    return found


def make_secret(directory: Path) -> None:
    """Write a new secret, whole; one that another process made first stays."""
    path = directory / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=".secret-") as fresh:  # mode 0600
        fresh.write(secrets.token_hex(BYTES))
        fresh.flush()
        os.fsync(fresh.fileno())
        # A link, unlike a rename, never replaces; and a killed process leaves no empty key.
        with suppress(FileExistsError):
            os.link(fresh.name, path)
