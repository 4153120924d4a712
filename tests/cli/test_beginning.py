"""What ``init`` takes wrong is corrected by an answer, asked for or given with the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.config import load_config
from tests.cli.commands import rekindle

ORDERS = (
    "order_id,customer_id,date,total,net,note\n"
    "1,a,03/02/2024,12,10,x\n2,b,04/02/2024,24,20,y\n3,b,05/03/2024,24,20,z\n"
)


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS, encoding="utf-8")
    return path


@pytest.mark.long
def test_an_answer_in_the_talk_changes_the_proposal(
    orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes: Iterator[bool] = iter([False, True])
    says = iter(["grss=net", "gross=net, ordered_at:%m/%d/%Y"])
    monkeypatch.setattr("typer.confirm", lambda *a, **k: next(takes))
    monkeypatch.setattr("typer.prompt", lambda *a, **k: next(says))
    answer = rekindle("init", tmp_path / "new", "--orders", orders)
    assert answer.code == 0, answer.err
    assert "orders has no column 'grss'; did you mean 'gross'" in answer.err
    assert "left out: total, note" in answer.out
    (source,) = load_config(tmp_path / "new").sources
    assert source.columns["gross"] == "net"
    assert source.formats == {"ordered_at": "%m/%d/%Y"}


@pytest.mark.long
def test_an_answer_with_the_command_is_taken(orders: Path, tmp_path: Path) -> None:
    answer = rekindle(
        "init", tmp_path / "new", "--orders", orders, "--yes", "--take", "gross=net"
    )  # fmt: skip
    assert answer.code == 0, answer.err
    audit = rekindle("audit", "--json", "-C", tmp_path / "new").document
    assert audit["gross_revenue"] == 50.0


@pytest.mark.parametrize(
    ("said", "told"),
    [("gross", "is no answer"), ("gross=nett", "no column 'nett'"), ("table=tables", "not of")],
)
def test_an_answer_that_means_nothing_is_refused(
    orders: Path, tmp_path: Path, said: str, told: str
) -> None:
    answer = rekindle("init", tmp_path / "new", "--orders", orders, "--yes", "--take", said)
    assert answer.code == 2
    assert told in answer.err
    assert not (tmp_path / "new").exists()


@pytest.mark.long
def test_a_long_cell_floods_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{ORDERS}4,{'c' * 100_000},06/03/2024,24,20,z\n", encoding="utf-8")
    answer = rekindle("init", tmp_path / "new", "--orders", path, "--yes")
    assert answer.code == 2  # for the row that was set aside
    assert len(answer.out) + len(answer.err) < 10_000


@pytest.mark.long
def test_orders_that_come_as_lines_are_watched(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(
        "order_id,customer_id,date,product_id,quantity,price\n1,a,2024-02-13,p,2,5\n",
        encoding="utf-8",
    )
    answer = rekindle("init", tmp_path / "new", "--orders", path, "--currency", "GBP", "--yes")
    assert answer.code == 0, answer.err
    told = rekindle("watch", "-C", tmp_path / "new")
    assert "orders imported" in told.out
    assert "nothing was imported in the last week" not in told.out
