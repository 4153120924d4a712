"""Asking only about those whom something contradicts gives the persons that asking all gives."""

from __future__ import annotations

from random import Random

import duckdb
import pytest

from rekindle.facts.evidence import _testimony, find_unsettled
from rekindle.identity import Evidence, JoinReason, apply_change, decide_change, find_groups

IDS = [f"c{number}" for number in range(14)]
NAMES = ["", "", "Ann", "Ann", "Adam", "Bob", "Élo", "Ella"]
HANDLES = [f"m{number}@x.example" for number in range(9)] + ["noreply@x.example"]
STEPS = 7


class World:
    """Cards and handles that come in over time, and what somebody says of who is who."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.con = duckdb.connect()
        self.con.execute(
            "create table customers (customer_id text, first_name text, last_name text, "
            "source text, given_id text)"
        )
        self.con.execute(
            "create table handles "
            "(customer_id text, kind text, value text, first_seen_at timestamptz)"
        )
        self.told = Evidence(together={}, apart=[])

    def go_on(self, step: int) -> None:
        """Let a few cards be new or changed, and perhaps somebody say something."""
        for id_ in self.chance.sample(IDS, 3):
            name = self.chance.choice(NAMES)
            self.con.execute("delete from customers where customer_id = ?", [id_])
            self.con.execute("insert into customers values (?, ?, '', 'crm', null)", [id_, name])
            value = self.chance.choice(HANDLES)
            at = f"2026-01-0{step + 1} 00:00:00+00"
            self.con.execute("insert into handles values (?, 'email', ?, ?)", [id_, value, at])
        if self.chance.random() < 0.3:
            a, b = sorted(self.chance.sample(IDS, 2))
            together = {**self.told.together, (a, b): JoinReason.BY_HAND}
            apart = list(self.told.apart)
            if self.chance.random() < 0.5:
                together.pop((a, b))
                apart.append((a, b))
            self.told = Evidence(together=together, apart=apart)

    def settle(self, known: dict[str, str], *, only_some: bool) -> dict[str, str]:
        """Return whom ids go by after a settling."""
        some = find_unsettled(self.con, self.told, known) if only_some else None
        said = _testimony(self.con, some)

        def is_asked(id_: str) -> bool:
            return some is None or known.get(id_, id_) in some

        evidence = Evidence(
            said.evidence.claims,
            said.evidence.names,
            {pair: why for pair, why in self.told.together.items() if is_asked(pair[0])},
            [pair for pair in self.told.apart if is_asked(pair[0])],
        )
        asked = {id_: person for id_, person in known.items() if is_asked(id_)}
        return apply_change(known, decide_change(find_groups(evidence), asked, rank=said.rank))


@pytest.mark.long
@pytest.mark.draws(4)
@pytest.mark.parametrize("seed", range(12))
def test_asking_some_is_asking_all(seed: int) -> None:
    world = World(Random(seed))
    known: dict[str, str] = {}
    joins = 0
    for step in range(STEPS):
        world.go_on(step)
        after = world.settle(known, only_some=True)
        assert after == world.settle(known, only_some=False)
        joins += after != known
        known = after
    assert joins
    assert world.settle(known, only_some=True) == known


def test_who_is_as_the_rules_say_is_not_asked_about() -> None:
    world = World(Random(0))
    for id_, value in (("c1", "a@x.example"), ("c2", "a@x.example"), ("c3", "b@x.example")):
        world.con.execute("insert into customers values (?, 'Ann', '', 'crm', null)", [id_])
        world.con.execute(
            "insert into handles values (?, 'email', ?, timestamptz '2026-01-01 00:00:00+00')",
            [id_, value],
        )
    assert find_unsettled(world.con, Evidence(), {}) == {"c1", "c2"}
    assert find_unsettled(world.con, Evidence(), {"c2": "c1"}) == set()
    apart = Evidence(apart=[("c2", "c1")])
    assert find_unsettled(world.con, apart, {"c2": "c1"}) == {"c1"}


def test_who_was_one_by_what_is_gone_or_renamed_since_is_asked_about() -> None:
    world = World(Random(0))
    for id_, name in (("c1", "Ann"), ("c2", ""), ("c3", "")):
        world.con.execute("insert into customers values (?, ?, '', 'crm', null)", [id_, name])
    for id_, letter in (("c1", "a"), ("c2", "a"), ("c2", "b"), ("c3", "b")):
        value = f"{letter}@x.example"
        world.con.execute(
            "insert into handles values (?, 'email', ?, timestamptz '2026-01-01 00:00:00+00')",
            [id_, value],
        )
    known = {"c2": "c1", "c3": "c1"}
    assert find_unsettled(world.con, Evidence(), known) == set()
    # No handle is of two initials, but the person is.
    world.con.execute("update customers set first_name = 'Bob' where customer_id = 'c3'")
    assert find_unsettled(world.con, Evidence(), known) == {"c1"}
    assert world.settle(known, only_some=True) == world.settle(known, only_some=False)
    # What made these one is not there any more, and nobody said so.
    gone = {"c8": "c7"}
    assert find_unsettled(world.con, Evidence(), gone) >= {"c7"}
    told = Evidence(together={("c8", "c7"): JoinReason.ALIAS})
    assert "c7" not in find_unsettled(world.con, told, gone)
