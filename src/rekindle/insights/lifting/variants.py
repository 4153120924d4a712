"""The tests of a journey: which variant of a message did better, and what shows it.

Each person counts once, in the variant of the first message of that step they were given,
whether it left or not, and only while the list of variants was the one that is compared:
what was drawn under another list was drawn at another time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import ibis

from rekindle.experiments import (
    Against,
    Comparison,
    Lift,
    VariantPerson,
    VariantVerdict,
    compare_variants,
)
from rekindle.facts import INSTANT, Engine, Facts
from rekindle.insights.outcomes import (
    bring_windows,
    build_spending,
    list_buyers,
    list_orders,
    lives_by_subscriptions,
)
from rekindle.insights.record import JourneyRecord, VariantMessage
from rekindle.insights.wire import Json, write_figure, write_unknown
from rekindle.insights.words import say_points
from rekindle.journeys import Measure, Send
from rekindle.subscriptions import build_purchases
from rekindle.vocabulary import Channel, Unknown
from rekindle.wording import amount, counted

METRICS = {
    Measure.RETURNED: "share that returned",
    Measure.REVENUE: "net revenue per person",
    Measure.CLICKED: "share that clicked",
}
UNKNOWABLE = "a replay contacts nobody, so nobody clicks in it"
NO_EFFECT = (
    "In a replay nobody was contacted, so the variants do not differ; what is shown here is chance."
)


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant: people given it, whose message left, whose time is over, and what they did.

    ``value`` is their sum of what is measured: people, or net revenue in major units.
    """

    name: str
    given: int
    left: int
    over: int
    doers: int
    value: float

    @property
    def mean(self) -> float | Unknown:
        """Return what is measured per person whose time is over."""
        if not self.over:
            return Unknown("nobody's time is over")
        return self.value / self.over


@dataclass(frozen=True, slots=True)
class VariantTest:
    """The variants of one step, side by side, and what the comparison says."""

    step: str
    channel: Channel
    measure: Measure
    within: timedelta
    results: tuple[VariantResult, ...]
    comparison: Comparison
    currency: str
    is_over: bool = False
    is_replay: bool = False

    @property
    def finding(self) -> str:
        """Return in plain words what the comparison says."""
        told = _TELLERS[self.comparison.verdict](self)
        if self.is_replay and self.comparison.verdict is not VariantVerdict.NOT_ESTIMABLE:
            return f"{told} {NO_EFFECT}"
        return told

    def say(self, value: float) -> str:
        """Return a value of what is measured, in words."""
        if self.measure is Measure.REVENUE:
            return amount(value, self.currency)
        return say_points(value)

    def to_json(self) -> Json:
        """Return the test as JSON values; what could not be computed carries ``unknown``."""
        said = self.comparison
        return {
            "step": self.step,
            "channel": self.channel.value,
            "measure": self.measure.value,
            "within_days": self.within / timedelta(days=1),
            "is_over": self.is_over,
            "variants": [
                {
                    "name": one.name,
                    "given": one.given,
                    "left": one.left,
                    "over": one.over,
                    "doers": one.doers,
                    "mean": write_figure(one.mean),
                }
                for one in self.results
            ],
            "verdict": said.verdict.value,
            "winner": said.winner or None,
            "reason": said.reason or None,
            "compared": said.people,
            "doers": said.doers,
            "next_reading_at": said.next_at or None,
            "against_first": [_write(one) for one in said.against],
            "finding": self.finding,
        }


def build_tests(record: JourneyRecord, facts: Facts, engine: Engine) -> tuple[VariantTest, ...]:
    """Return the tests of a journey, as the newest version that has each of them has it."""
    tests = []
    for send, is_over, messages in _find_tests(record):
        within = record.journey.goal.within
        values = _load_values(record, send, messages, facts, engine)
        given = [
            VariantPerson(one.person, one.variant, one.at + within, values.get(one.person, 0.0))
            for one in messages
            if one.at + within <= record.until
        ]
        tests.append(
            VariantTest(
                send.key,
                send.channel,
                send.measure,
                within,
                tuple(_sum_up(one.name, messages, given) for one in send.variants),
                _compare(send, given, is_replay=record.is_replay),
                facts.currency,
                is_over=is_over,
                is_replay=record.is_replay,
            )
        )
    return tuple(tests)


def _find_tests(
    record: JourneyRecord,
) -> Iterator[tuple[Send, bool, Sequence[VariantMessage]]]:
    """Yield each step that ever had variants, whether it has none any more, and its messages."""
    newest: dict[str, tuple[int, Send]] = {}
    for number, journey in sorted(record.versions.items()):
        for send in journey.sends:
            if send.variants:
                newest[send.key] = number, send
    last = max(record.versions, default=0)
    for key, (number, send) in newest.items():
        same = {
            version
            for version, journey in record.versions.items()
            if any(one.key == key and _is_same_test(one, send) for one in journey.sends)
        }
        yield send, number != last, _first_messages(record, key, same)


def _is_same_test(one: Send, other: Send) -> bool:
    return (one.variants, one.template, one.measure) == (
        other.variants,
        other.template,
        other.measure,
    )


def _first_messages(
    record: JourneyRecord, step: str, versions: set[int]
) -> Sequence[VariantMessage]:
    """Return each person's first message of a step, where it was of these versions."""
    first: dict[str, VariantMessage] = {}
    for one in record.variants:
        if one.step == step and one.at <= record.until:
            known = first.get(one.person)
            if known is None or one.at < known.at:
                first[one.person] = one
    return [one for one in first.values() if one.version in versions]


def _load_values(
    record: JourneyRecord,
    send: Send,
    messages: Sequence[VariantMessage],
    facts: Facts,
    engine: Engine,
) -> Mapping[str, float]:
    """Return what people did after their message; clicks are on record.

    What a return and revenue are, is as in a report.
    """
    within = record.journey.goal.within
    if send.measure is Measure.CLICKED:
        clicked = [(one, one.clicked_at) for one in messages if one.clicked_at is not None]
        return {one.person: 1.0 for one, at in clicked if at <= one.at + within}
    if not messages:
        return {}
    windows = ((one.person, one.at, one.at + within) for one in messages)
    asked = bring_windows(engine, "variant_windows", windows)
    until, orders = ibis.literal(record.until, type=INSTANT), list_orders(record, facts)
    if send.measure is Measure.REVENUE:
        of_subscriptions = lives_by_subscriptions(engine, facts)
        spent = build_spending(asked, orders, facts, until, of_subscriptions=of_subscriptions)
        return {row["person"]: float(row["net"]) for row in engine.run(spent).to_pylist()}
    purchases = build_purchases(orders, facts)
    purchases = purchases.filter(purchases.ordered_at <= until)
    buyers = engine.run(list_buyers(asked, purchases)).column(0).to_pylist()
    return dict.fromkeys(buyers, 1.0)


def _sum_up(
    name: str, messages: Sequence[VariantMessage], given: Sequence[VariantPerson]
) -> VariantResult:
    own = [one for one in messages if one.variant == name]
    over = [one for one in given if one.variant == name]
    return VariantResult(
        name,
        given=len(own),
        left=sum(one.has_left for one in own),
        over=len(over),
        doers=sum(one.value != 0 for one in over),
        value=sum(one.value for one in over),
    )


def _compare(send: Send, given: Sequence[VariantPerson], *, is_replay: bool) -> Comparison:
    if is_replay and send.measure is Measure.CLICKED:
        return Comparison(VariantVerdict.NOT_ESTIMABLE, reason=UNKNOWABLE)
    names = [one.name for one in send.variants]
    return compare_variants(names, given, metric=METRICS[send.measure])


def _write(one: Against) -> Json:
    if isinstance(one.lift, Unknown):
        return {"variant": one.variant} | write_unknown(one.lift)
    return {
        "variant": one.variant,
        "difference": round(one.lift.difference, 4),
        "low": round(one.lift.low, 4),
        "high": round(one.lift.high, 4),
        "p_value": write_figure(one.p_value),
        "confidence": round(one.lift.confidence, 4),
        "method": one.lift.method,
    }


def _doers(test: VariantTest, count: int) -> str:
    did = {"returned": "returned", "revenue": "bought", "clicked": "clicked"}[test.measure]
    return f"{counted(count, 'person')} who {did}"


def _tell_early(test: VariantTest) -> str:
    said = test.comparison
    return (
        f"Too early to tell: the first reading waits for {_doers(test, said.next_at)}, of all "
        f"variants together, and there are {said.doers:,} so far whose "
        f"{test.within.days} days are over."
    )


def _tell_winner(test: VariantTest) -> str:
    said, base = test.comparison, test.results[0].name
    how = f"over {counted(said.people, 'person')}"
    if said.winner == base:
        return f"{base} did better than every other variant, {how}. {_TAKE_IT.format(base)}"
    found = next(one for one in said.against if one.variant == said.winner)
    assert isinstance(found.lift, Lift)
    lift = found.lift
    return (
        f"{said.winner} did better than {base}, {how}: its {METRICS[test.measure]} is higher by "
        f"{test.say(lift.difference)}, and between {test.say(lift.low)} and {test.say(lift.high)} "
        f"with {lift.confidence * 100:.4g} % confidence. {_TAKE_IT.format(said.winner)}"
    )


_TAKE_IT = "Nothing is switched by itself: to write {} to everybody, say so in the journey's file."


def _tell_nothing(test: VariantTest) -> str:
    said = test.comparison
    worse = f"{', '.join(said.worse)} did worse than {test.results[0].name}; " if said.worse else ""
    rest = "between the others no" if worse else "No"
    return (
        f"{worse}{rest} difference is shown over {counted(said.people, 'person')}; the next "
        f"reading waits for {_doers(test, said.next_at)}."
    )


def _tell_unknown(test: VariantTest) -> str:
    return f"Nothing can be told: {test.comparison.reason}."


_TELLERS = {
    VariantVerdict.TOO_EARLY: _tell_early,
    VariantVerdict.WINNER: _tell_winner,
    VariantVerdict.NO_DIFFERENCE: _tell_nothing,
    VariantVerdict.NOT_ESTIMABLE: _tell_unknown,
}
