"""A lake in a bucket: of two imports at once one wins, and a killed one leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from rekindle.config import Config
from rekindle.errors import BusyError, ConfigError, LakeError
from rekindle.facts import FactsPlace, FileImport, Lake, import_sources, open_engine
from rekindle.facts.contracts import IMPORTS
from rekindle.facts.lake.views import empty
from tests.facts.conftest import NOW, ORDERS

HEAD = "id,who,at,total\n"
BUCKET = "lakes"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run an S3 of its own process; yield what reaches it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    keys = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
    }
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            continue  # not listening yet
    yield keys
    server.terminate()
    server.wait()


@dataclass(frozen=True)
class Office:
    """A workspace whose lake is in the bucket, and a folder with its orders."""

    base: Path
    lake_url: str

    @property
    def config(self) -> Config:
        return Config.model_validate(
            {
                "workspace": {"timezone": "UTC", "currency": "GBP"},
                "facts": {"lake": self.lake_url},
                "sources": [ORDERS],
            }
        )

    @property
    def lake(self) -> Lake:
        return Lake.of(self.config.facts, self.base)

    def write(self, *rows: str) -> None:
        (self.base / "orders.csv").write_text(HEAD + "\n".join(rows) + "\n")

    def bring(self, *rows: str) -> FileImport:
        self.write(*rows)
        return import_sources(self.config, self.base, now=NOW)[0]

    def amounts(self) -> dict[str, int]:
        engine = open_engine(FactsPlace(self.lake, currency="GBP", zone="UTC"))
        rows = engine.run(engine.facts().orders).to_pylist()
        engine.close()
        return {row["order_id"]: int(row["gross"]) for row in rows}


@pytest.fixture
def office(store: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    for name, value in store.items():
        monkeypatch.setenv(name, value)
    import boto3

    client = boto3.client("s3", endpoint_url=store["AWS_ENDPOINT_URL"])
    client.create_bucket(Bucket=BUCKET)
    client.close()
    return Office(tmp_path, f"s3://{BUCKET}/{tmp_path.name}")


@pytest.mark.long
def test_orders_are_imported_corrected_and_read(office: Office) -> None:
    assert office.bring("1,ann,2024-01-01,5", "2,bob,2024-01-02,6").added == 2
    before = office.lake.versions()
    assert office.bring("1,ann,2024-01-01,5", "2,bob,2024-01-02,6").changed == 0
    assert office.lake.versions()["orders"] == before["orders"]
    assert office.bring("1,ann,2024-01-01,7").changed == 1
    assert office.amounts() == {"1": 7, "2": 6}


@pytest.mark.long
def test_of_two_imports_at_once_the_slower_is_refused(office: Office) -> None:
    office.bring("1,ann,2024-01-01,5")
    with pytest.raises(BusyError, match="another import"), office.lake.change():
        office.bring("2,bob,2024-01-02,6")
    assert office.amounts() == {"1": 5, "2": 6}


@pytest.mark.long
def test_an_import_that_finds_another_between_its_writes_stops(office: Office) -> None:
    """A version of a table holds all before it, so ours must not stand on another's."""
    office.bring("1,ann,2024-01-01,5")
    none = empty(IMPORTS)

    def write_twice() -> None:
        with office.lake.change() as change:
            change.overwrite("imports", none)
            office.bring("2,bob,2024-01-02,6")
            change.overwrite("imports", none)

    with pytest.raises(BusyError, match="another import"):
        write_twice()
    assert office.amounts() == {"1": 5, "2": 6}
    assert office.bring("3,eve,2024-01-03,7").added == 1
    assert office.amounts() == {"1": 5, "2": 6, "3": 7}


@pytest.mark.long
def test_a_killed_import_leaves_the_facts_as_they_were(office: Office) -> None:
    office.bring("1,ann,2024-01-01,5")
    office.write("1,ann,2024-01-01,6", "2,bob,2024-01-02,7")
    program = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from rekindle.config import Config\n"
        "from rekindle.facts import Lake, import_sources\n"
        "Lake._commit = lambda *given: os.kill(os.getpid(), signal.SIGKILL)\n"
        "config = Config.model_validate_json(sys.argv[1])\n"
        "import_sources(config, Path(sys.argv[2]), now=datetime(2026, 1, 1, tzinfo=UTC))\n"
    )
    settings = json.dumps(
        {
            "workspace": {"timezone": "UTC", "currency": "GBP"},
            "facts": {"lake": office.lake_url},
            "sources": [ORDERS],
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", program, settings, str(office.base)],
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == -signal.SIGKILL
    assert office.amounts() == {"1": 5}
    assert office.bring("1,ann,2024-01-01,6", "2,bob,2024-01-02,7").changed == 1
    assert office.amounts() == {"1": 6, "2": 7}


@pytest.mark.long
def test_a_damaged_manifest_is_taken_up_there_too(office: Office) -> None:
    office.bring("1,ann,2024-01-01,5")
    mark = office.lake.storage.load("snapshot.json")
    assert mark is not None
    office.lake.storage.save("snapshot.json", b"{", mark[1])
    with pytest.raises(LakeError, match="rekindle import"):
        office.lake.versions()
    assert "manifest was damaged" in " ".join(office.bring("1,ann,2024-01-01,6").notes)
    assert office.amounts() == {"1": 6}


@pytest.mark.long
def test_a_table_that_was_deleted_as_the_message_says_is_made_anew(office: Office) -> None:
    office.bring("1,ann,2024-01-01,5")
    store: Any = office.lake.storage
    for one in chain.from_iterable(list(store._store.list("orders/"))):
        store._store.delete(one["path"])
    assert "orders: the table was gone" in " ".join(office.bring("1,ann,2024-01-01,6").notes)
    assert office.amounts() == {"1": 6}


def test_secrets_may_stand_in_files(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("secret\n")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(tmp_path / "key"))
    assert office.bring("1,ann,2024-01-01,5").added == 1


@pytest.mark.long
def test_a_bucket_that_is_not_there_is_told_not_traced(office: Office) -> None:
    elsewhere = replace(office, lake_url="s3://no-such-bucket/shop")
    with pytest.raises(LakeError, match="no-such-bucket"):
        elsewhere.bring("1,ann,2024-01-01,5")


@pytest.mark.long
def test_an_address_of_no_kind_is_refused(office: Office) -> None:
    with pytest.raises(ConfigError, match="lake"):
        _ = replace(office, lake_url="ipfs://shop/lake").lake
