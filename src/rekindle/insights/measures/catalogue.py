"""The catalogue: every measure once, with its formula, window and source.

Whoever adds a measure adds a line here; the terminal, JSON, files and the reference page
follow. Figures that the report states as well are computed where the report has them from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from rekindle.insights.measures.model import DeclaredMeasure, Group, Silence, Subject, Unit, Value
from rekindle.insights.survival import Interval, estimate_survival
from rekindle.insights.wire import Figure
from rekindle.vocabulary import Unknown

RETAINED_DAYS = 90
LAPSED_DAYS = 180
NOBODY_ENTERED = Unknown("nobody was assigned to be treated")
NOBODY_REACHED = Unknown("no message reached anybody")
NOBODY_CLICKED = Unknown("nobody followed a link")
NOBODY_RETURNED = Unknown("nobody has come back yet")
BACK_BY_STAYS = Unknown(
    "who came back did so by a subscription, of which days without a purchase say nothing; "
    "`rekindle audit` tells how many subscribers left a second time"
)
NO_COST = Unknown("the messages cost nothing that was recorded")
Test = Callable[[Subject], bool]


def _share(
    count: float, base: int, reason: Unknown, beside: Figure | None = None, low: float | None = None
) -> Value:
    return Value(count / base if base else reason, count, base, beside=beside)


def _returned(people: Sequence[Subject]) -> list[Subject]:
    return [one for one in people if one.returned_at is not None]


def _reached(group: Group) -> list[Subject]:
    return [one for one in group.treated if one.reached]


def _has_clicked(one: Subject) -> bool:
    return any(message.clicked_at for message in one.reached)


def _count(group: Group, test: Test) -> Value:
    """Return how many of the treated pass a test, of all of them."""
    base = len(group.treated)
    if not base:
        return Value(NOBODY_ENTERED)
    count = sum(map(test, group.treated))
    return Value(float(count), count, base)


def count_entered(group: Group) -> Value:
    """Return how many people were assigned to be treated."""
    return _count(group, lambda one: True)


def count_reached(group: Group) -> Value:
    """Return how many had a message that left and did not come back."""
    return _count(group, lambda one: bool(one.reached))


def count_opened(group: Group) -> Value:
    """Return how many opened one, of those reached who let it be noticed."""
    if group.of.openings is not None:
        return Value(group.of.openings)
    noticed = [one for one in _reached(group) if one.is_noticed]
    if not noticed:
        return Value(Unknown("nobody who was reached lets openings be noticed"))
    count = sum(any(message.opened_at for message in one.reached) for one in noticed)
    return Value(float(count), count, len(noticed))


def count_clicked(group: Group) -> Value:
    """Return how many followed a link."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    return _count(group, _has_clicked)


def count_returned(group: Group) -> Value:
    """Return how many bought inside their window."""
    return _count(group, lambda one: one.returned_at is not None)


def count_retained(group: Group) -> Value:
    """Return how many of those who returned bought again in time, of those whose time is over."""
    if not group.treated:
        return Value(NOBODY_ENTERED)
    back = _returned(group.treated)
    if not back:
        return Value(NOBODY_RETURNED)
    if all(one.returned_on is None for one in back):
        return Value(BACK_BY_STAYS)
    over = [
        (days, ended)
        for days, ended in find_silences(back, group)
        if ended or days >= RETAINED_DAYS
    ]
    if not over:
        return Value(Unknown(f"nobody's {RETAINED_DAYS} days after their return are over"))
    count = sum(ended and days <= RETAINED_DAYS for days, ended in over)
    return Value(float(count), count, len(over))


def rate_response(group: Group) -> Value:
    """Return the share of the reached who clicked, or bought after their first message."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    reached = _reached(group)
    count = sum(_has_clicked(one) or _is_after_touch(one) for one in reached)
    return _share(count, len(reached), NOBODY_REACHED)


def rate_click_through(group: Group) -> Value:
    """Return the share of the messages that reached somebody in which a link was followed."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    messages = [message for one in group.treated for message in one.reached]
    return _share(sum(bool(one.clicked_at) for one in messages), len(messages), NOBODY_REACHED)


def rate_reactivation(group: Group) -> Value:
    """Return the share of the assigned who returned, beside the holdout's."""
    beside: Figure
    if isinstance(group.holdout, Unknown):
        beside = group.holdout
    elif group.holdout:
        beside = len(_returned(group.holdout)) / len(group.holdout)
    else:
        beside = Unknown("nobody was assigned to the holdout")
    back = len(_returned(group.treated))
    return _share(back, len(group.treated), NOBODY_ENTERED, beside)


def average_revenue(group: Group) -> Value:
    """Return net revenue inside the window per person who returned."""
    back = _returned(group.treated)
    return _share(sum(one.revenue for one in back), len(back), NOBODY_RETURNED)


def average_cost(group: Group) -> Value:
    """Return what all messages cost per person who returned."""
    micros = sum(message.cost_micros for one in group.treated for message in one.messages)
    if not micros:
        return Value(NO_COST)
    return _share(micros / 1_000_000, len(_returned(group.treated)), NOBODY_RETURNED)


def average_depth(group: Group) -> Value:
    """Return in how many messages those who clicked at all followed a link."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    clicked = [one for one in group.treated if _has_clicked(one)]
    count = sum(bool(message.clicked_at) for one in clicked for message in one.reached)
    return _share(count, len(clicked), NOBODY_CLICKED)


def rate_retention(group: Group) -> Value:
    """Return the share of those who returned who bought again in time, beside their peers'."""
    return _survive(group, RETAINED_DAYS, lambda share: share)


def rate_second_lapse(group: Group) -> Value:
    """Return the share of those who returned and then fell silent again, beside their peers'."""
    return _survive(group, LAPSED_DAYS, lambda share: 1 - share)


def _survive(group: Group, days: int, read: Callable[[float], float]) -> Value:
    back = _returned(group.treated)
    if not back:
        return Value(NOBODY_RETURNED, base=0)
    if all(one.returned_on is None for one in back):
        return Value(BACK_BY_STAYS, base=len(back))
    found = _estimate(find_silences(back, group), days)
    peers = _estimate(group.of.peers, days)
    beside = peers if isinstance(peers, Unknown) else read(peers.value)
    if isinstance(found, Unknown):
        return Value(found, base=len(back), beside=beside)
    low, high = sorted((read(found.low), read(found.high)))
    return Value(read(found.value), base=len(back), low=low, high=high, beside=beside)


def _estimate(silences: Sequence[Silence], days: int) -> Interval | Unknown:
    if not silences:
        return Unknown("nobody outside the journey bought then who had not been away")
    lengths, ended = zip(*silences, strict=True)
    course = estimate_survival(lengths, ended, [1] * len(silences))
    return course.estimate_ended(days)


def find_silences(people: Sequence[Subject], group: Group) -> list[Silence]:
    """Return how long each person who returned stayed silent after that day."""
    found = []
    for one in people:
        if one.returned_on is None:
            continue
        later = [day for day in one.bought_on if day > one.returned_on]
        until = min(later, default=group.of.until_on)
        found.append(((until - one.returned_on).days, bool(later)))
    return found


def _is_after_touch(one: Subject) -> bool:
    back = one.returned_at
    return back is not None and any(message.at < back for message in one.reached)


_IN_WINDOW = "the goal's time from a person's first entry"
_EVER = "from a person's first entry until now"
_MESSAGES = ("fates_of", "heard_of")
_RETURNS = ("returns",)
_PAGE = "how-to/measure/catalogue.md"
_SHIPPED = "ledger_touch, ledger_delivery"
_BOUGHT = "ledger_enrolment and orders"


def _page(name: str) -> str:
    return f"{_PAGE}#{name.replace('_', '-')}"


def _measure(
    name: str,
    unit: Unit,
    formula: str,
    window: str,
    source: str,
    reads: tuple[str, ...],
    compute: Callable[[Group], Value],
) -> DeclaredMeasure:
    beside = {
        "reactivation_rate": "the holdout",
        "subsequent_retention": "never-lapsed peers",
        "second_lapse": "never-lapsed peers",
    }.get(name, "")
    title = name.replace("_", " ")
    return DeclaredMeasure(
        name, title, unit, formula, window, source, _page(name), reads, compute, beside
    )


_ALL = (
    _measure(
        "entered",
        Unit.PEOPLE,
        "people assigned to be treated, each once however often they entered",
        _EVER,
        "ledger_enrolment, ledger_assignment",
        (),
        count_entered,
    ),
    _measure(
        "reached",
        Unit.PEOPLE,
        "of them, those with a message that left, or may have, and did not bounce for good",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        count_reached,
    ),
    _measure(
        "opened",
        Unit.PEOPLE,
        "of the reached who agreed that openings are noticed, those who opened a message; "
        "machines left out",
        _EVER,
        f"{_SHIPPED}, ledger_consent",
        (*_MESSAGES, "newest_statements"),
        count_opened,
    ),
    _measure(
        "clicked",
        Unit.PEOPLE,
        "people who followed a link in a message; machines left out",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        count_clicked,
    ),
    _measure(
        "returned",
        Unit.PEOPLE,
        "people with a purchase newer than the last one known when they entered",
        _IN_WINDOW,
        _BOUGHT,
        _RETURNS,
        count_returned,
    ),
    _measure(
        "retained",
        Unit.PEOPLE,
        f"of those who returned and bought again, or whose {RETAINED_DAYS} days are over, those "
        f"who bought on another day within {RETAINED_DAYS} days",
        f"{RETAINED_DAYS} days from the return",
        _BOUGHT,
        (*_RETURNS, "after"),
        count_retained,
    ),
    _measure(
        "response_rate",
        Unit.SHARE,
        "people who followed a link, or returned after their first message ÷ people reached",
        _IN_WINDOW,
        f"{_SHIPPED}, orders",
        (*_MESSAGES, *_RETURNS),
        rate_response,
    ),
    _measure(
        "click_through_rate",
        Unit.SHARE,
        "messages in which a person followed a link ÷ messages that left and did not bounce",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        rate_click_through,
    ),
    _measure(
        "reactivation_rate",
        Unit.SHARE,
        "people returned ÷ people assigned; the report's return rate",
        _IN_WINDOW,
        _BOUGHT,
        _RETURNS,
        rate_reactivation,
    ),
    _measure(
        "revenue_per_reactivated",
        Unit.MONEY,
        "net revenue of the people who returned ÷ people returned",
        _IN_WINDOW,
        "orders",
        (*_RETURNS, "revenue"),
        average_revenue,
    ),
    _measure(
        "subsequent_retention",
        Unit.SHARE,
        f"share of those who returned who buy on another day within {RETAINED_DAYS} days, by "
        "Kaplan and Meier, so that silences that still run count for as long as they were seen",
        f"{RETAINED_DAYS} days from the return",
        "orders",
        (*_RETURNS, "after", "peers"),
        rate_retention,
    ),
    _measure(
        "second_lapse",
        Unit.SHARE,
        f"share of those who returned who are silent for {LAPSED_DAYS} days after it, likewise",
        f"{LAPSED_DAYS} days from the return",
        "orders",
        (*_RETURNS, "after", "peers"),
        rate_second_lapse,
    ),
    _measure(
        "cost_per_reactivated",
        Unit.MONEY,
        "cost of all messages that left, or may have ÷ people returned; not the discounts, which "
        "net revenue is already without",
        _IN_WINDOW,
        "ledger_touch, orders",
        ("fates_of", *_RETURNS),
        average_cost,
    ),
    _measure(
        "engagement_depth",
        Unit.NUMBER,
        "messages in which a link was followed ÷ people who followed one",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        average_depth,
    ),
)
CATALOGUE = MappingProxyType({one.name: one for one in _ALL})
"""Every measure by name, in the order in which they are told."""
