"""A card is made of all that files say: what one is not about, another may say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.facts.conftest import ORDERS, Desk

TOLD = {"order_id": "id", "customer_id": "who", "ordered_at": "at", "gross": "total"}
ORDERING = {**ORDERS, "columns": {**TOLD, "email": "mail", "country": "land"}}
CONSENT = {"customer_id": "who", "email_consent": "yes", "email_consent_at": "since"}
AGREEING: dict[str, Any] = {
    "name": "crm",
    "table": "customers",
    "path": "cards.csv",
    "columns": CONSENT,
}
ADDRESSED = {**AGREEING, "columns": {**CONSENT, "email": "mail"}}
HEAD = "id,who,mail,land,at,total\n"
ANN = "1,ann,ann@x.example,GB,2024-01-01,9\n"
BOB = "2,bob,bob@x.example,FR,2024-02-01,9\n"
AGREED = "who,yes,since\nann,yes,2024-01-01\nbob,yes,2024-01-01\n"


def bring(
    desk: Desk, orders: str, cards: str, agreeing: dict[str, Any] = AGREEING, *, first: str
) -> None:
    desk.write("orders.csv", HEAD + orders)
    desk.write("cards.csv", cards)
    sources = [ORDERING, agreeing]
    desk.bring(*sources if first == "orders" else reversed(sources))


def told(desk: Desk) -> dict[str, tuple[str | None, str | None, bool | None]]:
    rows = desk.rows("customers")
    return {r["customer_id"]: (r["email"], r["country"], r["email_consent"]) for r in rows}


@pytest.mark.draws(1)
@pytest.mark.parametrize("first", ["orders", "cards"])
def test_a_file_of_consent_takes_no_address_away(desk: Desk, first: str) -> None:
    bring(desk, ANN, AGREED, first=first)
    assert told(desk) == {"ann": ("ann@x.example", "GB", True), "bob": (None, None, True)}
    bring(desk, ANN + BOB, AGREED, first=first)
    assert told(desk)["bob"] == ("bob@x.example", "FR", True)
    again = desk.bring()
    assert [(one.added, one.changed) for one in again] == [(0, 0)] * 2


@pytest.mark.draws(1)
@pytest.mark.parametrize("first", ["orders", "cards"])
def test_what_a_card_leaves_blank_no_order_fills(desk: Desk, first: str) -> None:
    cards = "who,yes,since,mail\nann,yes,2024-01-01,\nbob,yes,2024-01-01,b@x.example\n"
    bring(desk, ANN + BOB, cards, ADDRESSED, first=first)
    bring(desk, ANN + BOB, cards, ADDRESSED, first=first)
    assert told(desk) == {"ann": (None, "GB", True), "bob": ("b@x.example", "FR", True)}


def test_a_file_without_consent_leaves_it_and_its_day(desk: Desk) -> None:
    desk.write("cards.csv", "who,yes,since\nann,no,2024-01-05\n")
    desk.bring(AGREEING)
    desk.write("names.csv", "who,name\nann,Ann\n")
    columns = {"customer_id": "who", "first_name": "name"}
    names = {"name": "names", "table": "customers", "path": "names.csv", "columns": columns}
    desk.bring(AGREEING, names)
    (ann,) = desk.rows("customers")
    day = datetime(2024, 1, 5, tzinfo=UTC)
    assert (ann["first_name"], ann["email_consent"]) == ("Ann", False)
    assert ann["email_consent_at"] == day
