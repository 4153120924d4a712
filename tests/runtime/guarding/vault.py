"""Backs a workspace's ledger up and puts the copy in its place, on a file or on a server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.runtime.databases import command, postgres_ledger
from tests.runtime.shops import add_section


@dataclass
class Vault:
    """Keeps one copy of a workspace's ledger: of its file, or of its database on a server."""

    folder: Path
    server: str = ""
    database: str = ""

    def back_up(self) -> None:
        """Copy the ledger, which nobody has open."""
        if self.server:
            command(self.server, f"CREATE DATABASE {self.database}_copy TEMPLATE {self.database}")
        else:
            shutil.copy(self._file, self._file.with_suffix(".copy"))

    def restore(self) -> None:
        """Put the copy in the place of the ledger, which nobody has open."""
        if self.server:
            command(self.server, f"DROP DATABASE {self.database} WITH (FORCE)")
            command(self.server, f"CREATE DATABASE {self.database} TEMPLATE {self.database}_copy")
        else:
            for path in self._file.parent.glob(f"{self._file.name}-*"):
                path.unlink()
            shutil.copy(self._file.with_suffix(".copy"), self._file)

    def clear(self) -> None:
        """Remove a copy from the server."""
        if self.server:
            command(self.server, f"DROP DATABASE IF EXISTS {self.database}_copy")

    @property
    def _file(self) -> Path:
        return self.folder / "state" / "ledger.sqlite3"


@contextmanager
def vault_of(folder: Path, request: pytest.FixtureRequest) -> Iterator[Vault]:
    """Yield the vault of a workspace, its ledger on what the fixture's parameter names."""
    with ExitStack() as stack:
        vault = Vault(folder)
        if request.param == "postgres":
            server = str(request.getfixturevalue("postgres_url"))
            url = stack.enter_context(postgres_ledger(server))
            add_section(folder, f'[ledger]\nurl = "{url}"\n')
            vault = Vault(folder, server, urlsplit(url).path.strip("/"))
        yield vault
        vault.clear()
