"""The lake stays small, breaks nobody who reads it, and is taken up when it is damaged."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from rekindle.errors import LakeError
from rekindle.facts import Lake, import_sources, open_lake
from tests.facts.conftest import NOW, ORDERS, Desk

HEAD = "id,who,at,total\n"
AT_ONCE, A_DAY = timedelta(0), timedelta(days=1)


def import_small(desk: Desk, number: int, keep: timedelta) -> None:
    """Import one order of one customer more."""
    desk.write(f"o{number:03}.csv", f"{HEAD}{number},c{number},2024-01-01,{number}\n")
    desk.sources = [{**ORDERS, "path": f"o{number:03}.csv"}]
    config = desk.config()
    facts = config.facts.model_copy(update={"keep": keep})
    import_sources(config.model_copy(update={"facts": facts}), desk.base, now=NOW)


def data_files(desk: Desk) -> list[Path]:
    return list(desk.lake.folder.rglob("*.parquet"))


def amounts(desk: Desk) -> list[int]:
    return [int(row["gross"]) for row in sorted(desk.rows("orders"), key=lambda r: r["gross"])]


@pytest.mark.long
def test_small_imports_leave_few_files(desk: Desk) -> None:
    for number in range(31):
        import_small(desk, number, AT_ONCE)
    everything = [path for path in desk.lake.folder.rglob("*") if path.is_file()]
    assert len(everything) < 150
    live = DeltaTable(desk.lake.folder / "orders").file_uris()
    assert len(live) <= 10
    assert len(list((desk.lake.folder / "orders").glob("*.parquet"))) == len(live)
    assert amounts(desk) == list(range(31))


@pytest.mark.long
def test_files_of_an_older_snapshot_stay_as_long_as_is_said(desk: Desk) -> None:
    for number in range(3):
        import_small(desk, number, A_DAY)
    reader = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    before = reader.facts().orders
    for number in range(3, 25):
        import_small(desk, number, A_DAY)
    assert len(DeltaTable(desk.lake.folder / "orders").file_uris()) < 25
    assert reader.run(before).num_rows == 3
    reader.close()


@pytest.mark.long
def test_nobody_who_reads_while_files_are_swept_is_broken(desk: Desk) -> None:
    """Readers open and ask all the time while imports compact and sweep with nothing kept."""
    import_small(desk, 0, AT_ONCE)
    troubles: list[BaseException] = []
    is_over = threading.Event()

    def read() -> None:
        try:
            while not is_over.is_set():
                engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
                counts.append(engine.facts().orders.count().to_pyarrow().as_py())
                engine.close()
        except LakeError as error:
            # With nothing kept an open reader may lose its files, and is told so.
            troubles.extend([error] if "import again" not in str(error) else [])
        except BaseException as error:
            troubles.append(error)

    counts: list[int] = []
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 8):
        import_small(desk, number, A_DAY)
    is_over.set()
    for reader in readers:
        reader.join()
    assert troubles == []
    assert counts
    assert amounts(desk) == list(range(8))


def test_a_file_that_was_never_committed_is_swept(desk: Desk) -> None:
    import_small(desk, 0, AT_ONCE)
    orphan = desk.lake.folder / "orders" / "part-of-a-killed-import.parquet"
    orphan.write_bytes(b"half")
    os.utime(orphan, (1, 1))
    import_small(desk, 1, A_DAY)
    assert not orphan.exists()


@pytest.mark.long
@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1, "tables": {"orders": "x"}}'])
def test_importing_again_takes_up_a_lake_without_a_manifest(desk: Desk, text: str) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n2,bob,2024-01-02,6\n")
    (desk.lake.folder / "snapshot.json").write_text(text)
    with pytest.raises(LakeError, match="rekindle import"):
        desk.lake.versions()
    result = desk.orders(f"{HEAD}1,ann,2024-01-01,7\n")
    assert (result.added, result.changed) == (0, 1)
    assert "manifest was damaged" in " ".join(result.notes)
    assert amounts(desk) == [6, 7]


@pytest.mark.long
@pytest.mark.parametrize("harm", ["gone", "truncated", "emptied"])
def test_importing_again_brings_back_what_a_damaged_file_held(desk: Desk, harm: str) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    for path in (desk.lake.folder / "orders").glob("*.parquet"):
        if harm == "gone":
            path.unlink()
        else:
            os.truncate(path, 100 if harm == "truncated" else 0)
    with pytest.raises(LakeError, match="import again"):
        open_lake(desk.lake.folder, currency="GBP", zone="UTC").facts()
    result = desk.bring()[0]
    assert "lost or damaged" in " ".join(result.notes)
    assert amounts(desk) == [5]
    assert desk.bring()[0].notes == ()
    aside = list((desk.lake.folder / "orders").glob("_damaged-*"))
    assert len(aside) == (0 if harm == "gone" else 1)


@pytest.mark.long
def test_importing_again_replaces_a_table_whose_log_is_damaged(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    for file in (desk.lake.folder / "orders" / "_delta_log").iterdir():
        file.write_bytes(b"\0" * 50)
    result = desk.bring()[0]
    assert "put aside" in " ".join(result.notes)
    assert amounts(desk) == [5]


@pytest.mark.draws(1)
@pytest.mark.parametrize("harm", ["table", "log"])
def test_importing_again_brings_back_a_table_that_is_gone(desk: Desk, harm: str) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    folder = desk.lake.folder / "orders"
    shutil.rmtree(folder if harm == "table" else folder / "_delta_log")
    result = desk.bring()[0]
    assert ("was gone" if harm == "table" else "put aside") in " ".join(result.notes)
    assert amounts(desk) == [5]
    assert desk.bring()[0].notes == ()


@pytest.mark.long
def test_tables_whose_manifest_was_lost_are_taken_up_and_it_is_said(desk: Desk) -> None:
    """What no file holds any more would be gone from view, and nobody be told."""
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n2,bob,2024-01-02,6\n")
    (desk.lake.folder / "snapshot.json").unlink()
    result = desk.orders(f"{HEAD}3,cem,2024-01-03,7\n")
    assert "manifest was gone" in " ".join(result.notes)
    assert amounts(desk) == [5, 6, 7]


@pytest.mark.long
def test_both_manifest_and_a_log_may_be_damaged(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    (desk.lake.folder / "snapshot.json").write_text("")
    for file in (desk.lake.folder / "orders" / "_delta_log").iterdir():
        file.write_bytes(b"")
    desk.bring()
    assert amounts(desk) == [5]


def test_a_file_that_goes_while_it_is_read_is_told_not_traced(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    orders = engine.facts().orders
    for path in (desk.lake.folder / "orders").glob("*.parquet"):
        path.unlink()
    with pytest.raises(LakeError, match="import again"):
        engine.run(orders)
    engine.close()


def test_a_lake_may_be_given_as_a_folder(tmp_path: Path) -> None:
    assert Lake(tmp_path / "lake").versions() == {}
