"""A table of facts from outside: imported, checked, cut at a date, without another edit."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.desk import erase_person
from rekindle.errors import ConfigError
from rekindle.facts import CONTRACTS
from rekindle.journeys import Person
from rekindle.profiles import build_profiles
from rekindle.runtime import Workspace
from rekindle.testing.family_contract import check_families
from rekindle.testing.small_shop import Sale, SmallShop
from tests.cli.commands import refused, rekindle
from tests.extensions.conftest import PAGES, Install, files_of
from tests.runtime.shops import add_section
from tools.facts_page import facts_page

ORDERS = "order_id,customer_id,ordered_at,total\n" + "".join(
    f"{n},c{n % 5},2024-0{1 + n % 8}-11,20\n" for n in range(40)
)
TICKETS = """\
Ticket,Customer,Opened,Topic
1,c1,2024-03-01T10:00:00Z,late
2,c1,2024-05-01T10:00:00Z,broken
3,c2,someday,late
4,,2024-05-01T10:00:00Z,late
5,c3,2024-06-01T10:00:00Z,late
5,c3,2024-06-01T10:00:00Z,other
"""


@pytest.fixture
def shop(install: Install, tmp_path: Path) -> Path:
    """Return a workspace with orders and a source of tickets, as the page shows it."""
    install(files_of("table.md"))
    folder = tmp_path / "shop"
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    assert rekindle("init", folder, "--orders", tmp_path / "orders.csv", "--yes").code == 0
    (folder / "tickets.csv").write_text(TICKETS, encoding="utf-8")
    page = (PAGES / "table.md").read_text(encoding="utf-8")
    shown = page[page.index("   [[sources]]") :]
    add_section(folder, shown[: shown.index("```")].replace("\n   ", "\n"))
    return folder


@pytest.mark.long
def test_rows_are_imported_checked_and_quarantined(shop: Path) -> None:
    files = rekindle("import", "-C", shop, "--json").document["files"]
    (tickets,) = (one for one in files if one["table"] == "tickets")
    assert (tickets["read"], tickets["added"], tickets["quarantined"]) == (6, 2, 4)
    rows = rekindle("quarantine", "-C", shop, "--json").document["rows"]
    assert [(row["table"], row["line"], row["reason"]) for row in rows] == [
        ("tickets", 4, "bad_opened_at"),
        ("tickets", 5, "missing_customer_id"),
        ("tickets", 6, "conflicting_ticket_id"),
        ("tickets", 7, "conflicting_ticket_id"),
    ]


@pytest.mark.long
def test_rows_about_somebody_go_when_they_are_erased(shop: Path) -> None:
    rekindle("import", "-C", shop)
    space = Workspace.open(shop)
    space.book.save_people([Person("c1")])
    assert space.engine.run(space.facts.more["tickets"]).num_rows == 2
    erase_person(space, "c1", who="me")
    for _ in range(2):  # the file still has them
        space.import_facts()
        assert space.engine.run(space.facts.more["tickets"]).num_rows == 0


@pytest.mark.long
def test_a_second_import_adds_nothing_and_a_correction_corrects(shop: Path) -> None:
    rekindle("import", "-C", shop)
    again = rekindle("import", "-C", shop, "--source", "desk", "--json").document["files"][0]
    assert (again["added"], again["changed"]) == (0, 0)
    (shop / "tickets.csv").write_text(TICKETS.replace("broken", "lost"), encoding="utf-8")
    again = rekindle("import", "-C", shop, "--source", "desk", "--json").document["files"][0]
    assert (again["added"], again["changed"]) == (0, 1)


@pytest.mark.long
def test_a_date_sees_the_rows_known_by_then(shop: Path) -> None:
    rekindle("import", "-C", shop)
    workspace = Workspace.open(shop)
    april = datetime(2024, 4, 1, tzinfo=UTC)
    cut = workspace.facts.cut(april).more["tickets"]
    assert workspace.engine.run(cut).column("ticket_id").to_pylist() == ["1"]
    workspace.forget_facts()
    for day, people in (("2024-04-01", 0), ("2024-05-02", 1)):
        found = rekindle("audience", "tickets_count >= 2", "-C", shop, "--as-of", day, "--json")
        assert found.document["customers"] == people, found


def test_a_wrong_name_of_a_table_is_refused_with_the_nearest(shop: Path) -> None:
    settings = (shop / "rekindle.toml").read_text(encoding="utf-8")
    (shop / "rekindle.toml").write_text(settings.replace('"tickets"', '"tikets"'), encoding="utf-8")
    assert "no table 'tikets'; did you mean 'tickets'" in refused("import", "-C", shop)


@pytest.mark.long
def test_rows_of_several_ids_are_of_one_person(install: Install) -> None:
    install(files_of("table.md"))
    at = datetime(2024, 1, 1, tzinfo=UTC)

    def ticket(number: str, customer: str) -> dict[str, Any]:
        return {"source": "desk", "ticket_id": number, "customer_id": customer, "opened_at": at}

    shop = SmallShop(
        [Sale("ann", at)],
        persons={"ann@home": "ann"},
        rows={"tickets": [ticket("1", "ann"), ticket("2", "ann@home")]},
    )
    with closing(shop.engine()) as engine:
        later = datetime(2024, 2, 1, tzinfo=UTC)
        rows = engine.run(build_profiles(engine.facts(), later, LifecycleSettings())).to_pylist()
    assert [(row["customer_id"], row["tickets_count"]) for row in rows] == [("ann", 2)]


@pytest.mark.long
def test_its_family_keeps_what_families_promise(install: Install) -> None:
    install(files_of("table.md"))
    check_families("tickets")


def test_the_reference_page_shows_it(install: Install) -> None:
    install(files_of("table.md"))
    page = facts_page(CONTRACTS)
    assert "## tickets\n\nWhat customers wrote to support about.\n" in page
    assert "| `opened_at` | timestamp('UTC', 6) | yes | When it was opened. |" in page


def test_a_table_that_is_taken_is_refused(install: Install) -> None:
    files = files_of("table.md")
    install(
        {
            **files,
            "shop_tickets.py": files["shop_tickets.py"].replace('"tickets",\n', '"orders",\n', 1),
        }
    )
    with pytest.raises(ConfigError, match="the table orders is taken"):
        list(CONTRACTS)
