"""A profile family from outside: installed, and known everywhere without another edit."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.audiences import parse_predicate
from rekindle.config import LifecycleSettings
from rekindle.errors import ConfigError, PredicateError
from rekindle.journeys.population import HistoryAudience
from rekindle.profiles import FAMILIES, build_profiles
from rekindle.testing.family_contract import check_families
from rekindle.testing.small_shop import Card, Sale, SmallShop
from tests.cli.commands import rekindle
from tests.extensions.conftest import Install, files_of
from tests.runtime.shops import add_section
from tools.reference import PAGES

DAY_0 = datetime(2024, 1, 1, 12, tzinfo=UTC)
BROWSING = """
from rekindle.profiles import Derivation, Family, ProfileColumn

FAMILY = Family(
    name="browsing",
    meaning="Whether the person looks and does not buy.",
    columns=(ProfileColumn("is_browsing", "flag", "", "Three visits a purchase, or more."),),
    how=Derivation(
        lambda table, settings: table.mutate(
            is_browsing=table.visits_count >= 3 * table.orders_count
        )
    ),
    needs=("visits_count", "orders_count"),
)
"""


def day(number: float) -> datetime:
    return DAY_0 + timedelta(days=number)


def visit(person: str, at: datetime) -> dict[str, Any]:
    key = f"{person}{at}"
    return {"source": "shop", "event_id": key, "customer_id": person, "event": "visit"} | {
        "occurred_at": at
    }


@pytest.fixture
def visits(install: Install) -> None:
    install(files_of("profile-family.md"))


@pytest.fixture
def shop() -> SmallShop:
    """Return a shop Anna visits on days 1, 2 and 5, and where Ben buys."""
    seen = [visit("anna", day(n)) for n in (1, 2, 5)]
    cards = [Card("anna", email="anna@example.com")]
    return SmallShop([Sale("ben", day(1))], cards=cards, rows={"events": seen})


def profiles_at(shop: SmallShop, at: datetime) -> dict[str, dict[str, Any]]:
    with closing(shop.engine()) as engine:
        rows = engine.run(build_profiles(engine.facts(), at, LifecycleSettings())).to_pylist()
    return {row["customer_id"]: row for row in rows}


@pytest.mark.long
@pytest.mark.usefixtures("visits")
def test_its_columns_stand_in_every_profile(shop: SmallShop) -> None:
    anna, ben = (profiles_at(shop, day(3))[person] for person in ("anna", "ben"))
    assert (anna["visits_count"], anna["last_visit_at"]) == (2, day(2))
    assert (ben["visits_count"], ben["last_visit_at"]) == (0, None)


@pytest.mark.long
@pytest.mark.usefixtures("visits")
def test_it_keeps_what_families_promise() -> None:
    check_families("visits", texts={"event": ("visit", "login")})


@pytest.mark.long
def test_a_family_that_sees_its_future_is_found_out(install: Install) -> None:
    files = files_of("profile-family.md")
    early = "at=events.occurred_at - ibis.interval(days=5)"
    module = files["shop_visits.py"].replace("at=events.occurred_at", early)
    module = module.replace("from rekindle", "import ibis\nfrom rekindle", 1)
    install({**files, "shop_visits.py": module})
    with pytest.raises(AssertionError, match="a timeline of many dates gives something else"):
        check_families("visits", texts={"event": ("visit", "login")})


@pytest.mark.usefixtures("visits")
def test_predicates_know_it_and_check_its_type() -> None:
    assert parse_predicate("visits_count >= 3").columns == {"visits_count"}
    with pytest.raises(PredicateError, match="did you mean 'visits_count'"):
        parse_predicate("visit_count >= 3")
    with pytest.raises(PredicateError, match="is compared with an instant"):
        parse_predicate("last_visit_at > 'often'")


@pytest.mark.long
@pytest.mark.usefixtures("visits")
def test_a_replay_sees_at_every_tick_what_the_profile_said_then(shop: SmallShop) -> None:
    ticks = [day(number) for number in range(8)]
    predicate = "visits_count >= 2 and tier = 'prospect'"
    with closing(shop.engine()) as engine:
        history = HistoryAudience(
            engine,
            engine.facts(),
            settings=LifecycleSettings(),
            predicates=[predicate],
            ticks=ticks,
        )
        found = [history.matching(predicate, at, ["anna", "ben"]) for at in ticks]
    expected = [
        {name for name, row in profiles_at(shop, at).items() if row["visits_count"] >= 2} - {"ben"}
        for at in ticks
    ]
    assert found == expected
    assert found[3:] == [{"anna"}] * 5


@pytest.mark.usefixtures("visits")
def test_the_reference_page_shows_it() -> None:
    (page,) = (page for page in PAGES if page.path.endswith("profile-columns.md"))
    from rekindle.profiles import describe_families

    text = page.render(describe_families)
    assert "| `visits_count` | count | visits | Visits so far. | visits |" in text
    assert "| `events` |  | `visits_count` 0 |" in text


@pytest.mark.long
def test_one_family_may_be_made_of_another_from_outside(install: Install, shop: SmallShop) -> None:
    install(files_of("profile-family.md"))
    project = '[project]\nname = "browsing"\nversion = "1"\n'
    entry = '[project.entry-points."rekindle.profiles"]\nbrowsing = "browsing:FAMILY"\n'
    install({"pyproject.toml": project + entry, "browsing.py": BROWSING})
    assert profiles_at(shop, day(6))["anna"]["is_browsing"] is True
    assert profiles_at(shop, day(6))["ben"]["is_browsing"] is False


@pytest.mark.long
@pytest.mark.usefixtures("visits")
def test_a_check_that_checks_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="visits_count is blank for everybody"):
        check_families("visits")


def test_an_entry_point_that_names_no_family_is_refused(install: Install) -> None:
    install({**files_of("profile-family.md"), "shop_visits.py": "FAMILY = 3"})
    with pytest.raises(ConfigError, match=r"shop_visits:FAMILY .* names no Family"):
        list(FAMILIES)


JOURNEY = """\
journey: lookers
enter: {audience: visits_count >= 2}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: seen}
"""


def test_a_team_uses_it_from_the_audience_to_the_replay(install: Install, tmp_path: Path) -> None:
    install(files_of("profile-family.md"))
    folder = tmp_path / "shop"
    orders = "order_id,customer_id,ordered_at,total\n" + "".join(
        f"{n},c{n % 9},2024-0{1 + n % 8}-11,20\n" for n in range(60)
    )
    (tmp_path / "orders.csv").write_text(orders, encoding="utf-8")
    assert rekindle("init", folder, "--orders", tmp_path / "orders.csv", "--yes").code == 0
    rows = "".join(f"{n},c{n % 3},visit,2024-0{1 + n % 6}-20\n" for n in range(12))
    (folder / "visits.csv").write_text(
        f"event_id,customer_id,event,occurred_at\n{rows}", encoding="utf-8"
    )
    add_section(folder, VISITS)
    (folder / "journeys/lookers.yaml").write_text(JOURNEY, encoding="utf-8")
    template = (folder / "templates/check-in.mjml").read_text(encoding="utf-8")
    shown = template.replace("</mj-text>", " {{ visits_count }}</mj-text>", 1)
    (folder / "templates/seen.mjml").write_text(shown, encoding="utf-8")
    assert rekindle("import", "-C", folder).code == 0

    found = rekindle("audience", "visits_count >= 4", "-C", folder, "--json")
    assert found.document["customers"] == 3
    plan = rekindle("plan", "lookers", "-C", folder, "--as-of", "2024-07-01", "--json")
    assert (plan.code, plan.document["people"]) == (0, 3), plan.err
    replay = rekindle("replay", "lookers", "-C", folder, "--from", "2024-02-01", "--json")
    assert replay.code == 0, replay.err


VISITS = """\
[[sources]]
name = "visits"
table = "events"
path = "visits.csv"
[sources.columns]
event_id = "event_id"
customer_id = "customer_id"
event = "event"
occurred_at = "occurred_at"
"""


def test_a_package_that_cannot_be_loaded_is_named(install: Install) -> None:
    install({**files_of("profile-family.md"), "shop_visits.py": "import nothing_of_this_name"})
    with pytest.raises(ConfigError, match=r"shop_visits:FAMILY .* cannot be loaded: No module"):
        list(FAMILIES)
