"""Shops whose every customer is known, so that a true difference can be written down.

Hillstrom's control and Mens arms (amounts from the golden tests) and the customers of
Online Retail who were silent for 60 days, with what they bought, less cancellations, in
the 91 days that followed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from rekindle.experiments import ArmOutcome

ROOT = Path(__file__).parents[2]
HILLSTROM = ROOT / "tests" / "experiments" / "figures" / "hillstrom_spend.toml"
RETAIL = ROOT / "examples" / "online_retail" / "orders.parquet"
CUT = "timestamp '2010-09-09'"
Amounts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Population:
    """How many buy and what, how many only bring back and what. ``amounts`` in money."""

    buying: float
    amounts: Amounts
    returning: float = 0.0
    refunds: Amounts = field(default_factory=lambda: np.zeros(0))

    @property
    def mean(self) -> float:
        """Return the true mean per person."""
        back = self.returning * self.refunds.mean() if self.refunds.size else 0.0
        return float(self.buying * self.amounts.mean() + back)

    def draw(self, people: int, rng: np.random.Generator) -> ArmOutcome:
        """Return an arm of ``people`` drawn from the population."""
        bought = int(rng.binomial(people, self.buying))
        share = self.returning / (1 - self.buying)
        back = int(rng.binomial(people - bought, share)) if self.refunds.size else 0
        drawn = rng.choice(self.amounts, bought).tolist()
        return ArmOutcome(people, (*drawn, *(rng.choice(self.refunds, back) if back else ())))


@dataclass(frozen=True, slots=True)
class World:
    """Two populations and how many people are drawn from both together."""

    treated: Population
    held: Population
    people: int

    @property
    def truth(self) -> float:
        """Return the true difference per person."""
        return self.treated.mean - self.held.mean


def worlds() -> Mapping[tuple[str, str], World]:
    """Return each world by list and effect."""
    control, mens = _hillstrom("control"), _hillstrom("mens")
    refunding = replace(control, returning=0.15 * control.buying, refunds=-0.6 * control.amounts)
    lists = {
        "Hillstrom": (control, 21_306),
        "with refunds": (refunding, 21_306),
        "Online Retail": (_retail(), 1_000),
    }
    found = {
        (name, effect): World(treated, held, people)
        for name, (held, people) in lists.items()
        for effect, treated in _effects(held).items()
    }
    found["Hillstrom", "real Mens e-mail"] = World(mens, control, 21_306)
    return found


def _effects(held: Population) -> Mapping[str, Population]:
    return {
        "none": held,
        "buyers x 1.5": replace(held, buying=1.5 * held.buying),
        "baskets x 1.5": replace(held, amounts=1.5 * held.amounts),
        "baskets x 0.6": replace(held, amounts=0.6 * held.amounts),
        "30 % of buyers lost": replace(held, buying=0.7 * held.buying),
    }


def _hillstrom(arm: str) -> Population:
    told = tomllib.loads(HILLSTROM.read_text(encoding="utf-8"))[arm]
    amounts = np.array(told["spend"])
    return Population(amounts.size / told["assigned"], amounts)


def _retail() -> Population:
    query = f"""
        with lines as (
            select "Customer ID" as customer, Invoice as invoice, InvoiceDate as moment,
                Quantity * Price as amount
            from '{RETAIL}' where "Customer ID" is not null),
        silent as (
            select customer from lines where moment < {CUT} and invoice not like 'C%'
            group by customer having max(moment) < {CUT} - interval 60 day)
        select coalesce(sum(amount) filter (
            where moment >= {CUT} and moment < {CUT} + interval 91 day), 0) as net
        from silent join lines using (customer) group by customer order by customer"""
    net: Amounts = duckdb.sql(query).fetchnumpy()["net"]
    bought, back = net[net > 0], net[net < 0]
    return Population(bought.size / net.size, bought, back.size / net.size, back)
