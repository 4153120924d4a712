"""The page of a business that lives by subscriptions speaks of no orders, and of what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from rekindle.config import LifecycleSettings
from rekindle.desk import KeptReport
from rekindle.facts import Engine
from rekindle.insights import audit_page, build_audit, kept_page
from rekindle.ledger import BelongingsEntry
from tests.insights.test_pages import Outline
from tests.subscriptions.businesses import NOW, Business, subscription

GOLD: dict[str, Any] = {"amount": 10, "interval": "month"}
NASTY = "<script>alert('x')</script>"


def page_of(engine: Engine) -> str:
    audit = build_audit(engine.facts(), engine.run, as_of=NOW, settings=LifecycleSettings())
    return audit_page(audit, "Club", kept=report().tables)


def entry(person: str, **more: Any) -> BelongingsEntry:
    given = {"answer": "", "closed": "", "closed_on": None, "kept_until": date(2026, 5, 30), **more}
    return BelongingsEntry(
        id=1,
        person=person,
        number=1,
        what=("Playlists", NASTY),
        ended_on=date(2026, 3, 1),
        answered_at=None,
        told="",
        told_at=None,
        failures=0,
        **given,
    )


def report() -> KeptReport:
    back = entry("dan", closed="returned", closed_on=date(2026, 4, 1))
    rows = (entry("cleo", kept_until=date(2026, 4, 30)), entry("ben"), entry("ada"), back)
    returns = {"in_place": 1, "perhaps": 0, "gone": 0, "unknown": 2}
    at = datetime(2026, 5, 1, 9, tzinfo=UTC)
    return KeptReport(at, at.date(), ZoneInfo("UTC"), rows, returns, 1, "away", is_on=True)


@pytest.fixture(scope="module")
def club_text() -> Iterator[str]:
    rows = [
        subscription(f"a{n}", f"p{n}", "2025-01-01", "2025-06-01" if n % 2 else None, **GOLD)
        for n in range(80)
    ]
    rows += [subscription(f"b{n}", f"p{n}", "2025-07-01", **GOLD) for n in range(1, 20, 2)]
    engine = Business(rows).shop().engine()
    yield page_of(engine)
    engine.close()


@pytest.mark.long
def test_a_club_hears_of_subscribers_and_of_no_orders(club_text: str) -> None:
    text = Outline(club_text).text
    assert "50 subscribers pay £500 a month. 40 departures so far took £400 a month away; " in text
    assert "10 of them (25 %) ended with a return" in text
    assert re.findall(r"\b(?:orders?|buyers?|bought|lifetime)\b", text) == []
    for title in ("What subscribers bring", "Who came back", "What is kept for who left"):
        assert title in text


@pytest.mark.long
def test_its_pictures_are_well_formed_and_described(club_text: str) -> None:
    charts = re.findall(r"<svg.*?</svg>", club_text, re.DOTALL)
    assert len(charts) == 3
    for chart in charts:
        root = ElementTree.fromstring(chart)
        assert root[0].text
        assert root[1].text
    outline = Outline(club_text)
    assert (outline.open, outline.reaches) == ([], [])
    assert len(outline.ids) == len(set(outline.ids))


@pytest.mark.long
def test_where_nobody_ever_left_that_is_said() -> None:
    engine = Business([subscription("a", "p", "2025-12-20", **GOLD)]).shop().engine()
    text = Outline(page_of(engine)).text
    engine.close()
    assert "1 subscriber pays £10 a month. Nobody has left yet." in text


def test_the_register_says_what_ends_first_and_what_was_found() -> None:
    found = report()
    assert [one.person for one in found.ending] == ["ada", "ben"]
    assert found.standing == {"kept": 2, "over": 1, "deleted": 0}
    assert found.lead == (
        "Something is kept for 2 people who left. Of 1 return of which a register was kept, 1 "
        "(100 %) found everything in place."
    )
    assert [row["customer_id"] for row in found.to_rows().to_pylist()][-1] == "dan"
    assert [one["customer"] for one in found.to_json()["ending"]] == ["ada", "ben"]


def test_the_page_of_the_register_stands_alone_and_runs_nothing() -> None:
    found = report()
    page = kept_page(found.tables, found.figures, shop=NASTY, about="today", lead=found.lead)
    outline = Outline(page)
    assert (outline.open, outline.reaches) == ([], [])
    assert "<script" not in page
    assert "2026-05-30" in outline.text
    assert "Your system did not take 1 of what it was asked: away" in outline.text


def test_nothing_is_kept_where_nothing_is_said_to_be() -> None:
    at = datetime(2026, 5, 1, 9, tzinfo=UTC)
    found = KeptReport(
        at, at.date(), ZoneInfo("UTC"), (), {"in_place": 0, "unknown": 2}, 0, "", is_on=False
    )
    assert "[subscriptions.kept]" in found.lead
