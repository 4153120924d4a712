"""What attribution would credit the messages with, beside what the journey earned.

Attribution asks which message came before a purchase, not whether the purchase would have come
without it. It is shown because people know it, and reconciled with the lift in one table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis.expr.types as ir

from rekindle.facts import PURCHASE, Engine, Facts
from rekindle.insights.lifting.earnings import Range
from rekindle.insights.outcomes import bring_members, build_net_orders, list_orders
from rekindle.insights.record import JourneyRecord, MessageFate
from rekindle.insights.wire import Json, write_figure, write_told
from rekindle.insights.words import UNKNOWN
from rekindle.vocabulary import Arm, Channel, Unknown

# The windows that e-mail tools use by default, so that their figures can be compared.
ENGAGED_WITHIN = timedelta(days=5)
LEFT_WITHIN = timedelta(hours=12)
MODELS = ("last", "first", "linear")
NO_TOUCHES = Unknown("nobody was contacted, so there is nothing to credit")
WINDOWS = (
    f"A purchase is credited to messages of this journey that somebody clicked or opened in the "
    f"{ENGAGED_WITHIN.days} days before it, or that left in the "
    f"{LEFT_WITHIN // timedelta(hours=1)} hours before it: to the last touch, to the first, or in "
    "equal parts to all of them."
)


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a treated person inside their window; ``net`` in major units."""

    person: str
    at: datetime
    net: float
    is_purchase: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """What each model credits the messages of one step by one channel with, in major units."""

    step: str
    channel: Channel
    last: float
    first: float
    linear: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """Credits by step, and how they stand to what was earned.

    ``treated`` is all net revenue of the treated inside their windows, ``attributed`` what
    was credited of it: the models differ in whom they credit, not in how much. ``earned`` is
    the total of the lift.
    """

    credits: tuple[Credit, ...]
    purchases: int
    credited: int
    treated: float
    attributed: float
    earned: Range | Unknown

    @property
    def anyway(self) -> float | Unknown:
        """Return what the treated would have brought without the journey, by the holdout."""
        return self.earned if isinstance(self.earned, Unknown) else self.treated - self.earned.value

    @property
    def beyond(self) -> float | Unknown:
        """Return what is attributed beyond what was earned."""
        if isinstance(self.earned, Unknown):
            return self.earned
        return self.attributed - self.earned.value

    def to_json(self) -> Json:
        """Return the credits and their reconciliation, in major units."""
        return {
            "engaged_within_days": ENGAGED_WITHIN.days,
            "left_within_hours": LEFT_WITHIN // timedelta(hours=1),
            "purchases": self.purchases,
            "credited": self.credited,
            "credits": [
                {
                    "step": one.step,
                    "channel": one.channel.value,
                    **{model: round(getattr(one, model), 2) for model in MODELS},
                }
                for one in self.credits
            ],
            "treated_revenue": round(self.treated, 2),
            "attributed": round(self.attributed, 2),
            "not_attributed": round(self.treated - self.attributed, 2),
            "would_have_come_anyway": write_figure(self.anyway, 2),
            "earned": write_told(self.earned),
            "attributed_beyond_earned": write_figure(self.beyond, 2),
        }


def attribute(
    record: JourneyRecord, facts: Facts, engine: Engine, earned: Range | Unknown
) -> Attribution | Unknown:
    """Return what attribution credits the messages of a record with, beside what was ``earned``."""
    if record.is_replay:
        return NO_TOUCHES
    orders = _load_orders(record, facts, engine)
    messages: defaultdict[str, list[MessageFate]] = defaultdict(list)
    for fate in record.fates:
        if not fate.has_bounced:
            messages[fate.person].append(fate)
    return credit(orders, messages, earned)


def credit(
    orders: Sequence[Order],
    messages: Mapping[str, Sequence[MessageFate]],
    earned: Range | Unknown,
) -> Attribution:
    """Return the credits of messages, by person, for orders."""
    told: defaultdict[tuple[str, Channel], dict[str, float]]
    told = defaultdict(lambda: dict.fromkeys(MODELS, 0.0))
    for fates in messages.values():
        for fate in fates:
            told[fate.step, fate.channel]["linear"] += 0.0  # one credited nothing is told too
    credited, attributed = 0, 0.0
    for order in orders:
        touches = _find_touches(order, messages.get(order.person, ()))
        if not touches:
            continue
        credited += 1
        attributed += order.net
        first = min(touches, key=lambda touch: touch[1])[0]
        last = max(touches, key=lambda touch: touch[2])[0]
        told[first.step, first.channel]["first"] += order.net
        told[last.step, last.channel]["last"] += order.net
        for fate, _, _ in touches:
            told[fate.step, fate.channel]["linear"] += order.net / len(touches)
    return Attribution(
        tuple(Credit(step, channel, **of) for (step, channel), of in told.items()),
        purchases=sum(one.is_purchase for one in orders),
        credited=credited,
        treated=sum(one.net for one in orders),
        attributed=attributed,
        earned=earned,
    )


def _find_touches(
    order: Order, fates: Sequence[MessageFate]
) -> list[tuple[MessageFate, datetime, datetime]]:
    """Return the messages to credit with an order, with their first and last touch before it."""
    if not order.is_purchase:
        return []
    found = []
    for fate in fates:
        engaged = (*fate.clicked_at, *fate.opened_at)
        touches = [at for at in engaged if order.at - ENGAGED_WITHIN <= at < order.at]
        if order.at - LEFT_WITHIN <= fate.at < order.at:
            touches.append(fate.at)
        if touches:
            found.append((fate, min(touches), max(touches)))
    return found


def _load_orders(record: JourneyRecord, facts: Facts, engine: Engine) -> list[Order]:
    treated = [one for one in record.assigned if one.arm is Arm.TREATMENT]
    if not treated:
        return []
    asked: ir.Table = build_net_orders(
        bring_members(engine, "attributed_members", treated, record), list_orders(record, facts)
    )
    return [
        Order(row["person"], row["ordered_at"], float(row["net"]), row["kind"] == PURCHASE)
        for row in engine.run(asked).to_pylist()
    ]


def tell_attribution(told: Attribution, say: Callable[[float], str]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table: what, and the money by last touch, first touch and linear."""
    for one in told.credits:
        yield (f"{one.step} ({one.channel.value})", say(one.last), say(one.first), say(one.linear))
    earned = told.earned if isinstance(told.earned, Unknown) else told.earned.value
    rows: tuple[tuple[str, float | Unknown], ...] = (
        ("attributed in total", told.attributed),
        ("not attributed", told.treated - told.attributed),
        ("net revenue of the treated", told.treated),
        ("would have come anyway, by the holdout", told.anyway),
        ("earned in total: the lift", earned),
        ("attributed beyond what was earned", told.beyond),
    )
    for name, figure in rows:
        yield (name, *[UNKNOWN if isinstance(figure, Unknown) else say(figure)] * len(MODELS))
