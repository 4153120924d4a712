"""What a journey would do if it started now: who, how many, at what cost, to what proof.

The plan is the real engine over a book in memory, walked forward to the last step with
nobody returning; so its counts are the most that can happen, with the gate's own reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, Self

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.audiences import behaviours_in, bind_flags, parse_predicate
from rekindle.channels import find_form
from rekindle.config import write_duration
from rekindle.content import MARKETING_VARIABLES, load_templates, require_flawless
from rekindle.desk.counting import find_matching
from rekindle.desk.offers.checking import check_offers
from rekindle.desk.offers.forecasting import OfferForecast, forecast_offers, offer_notes
from rekindle.desk.reach import people_by_reason, say_why_nobody
from rekindle.desk.reporting.journeys import require_reading_ahead
from rekindle.errors import JourneyError
from rekindle.experiments import (
    HoldoutPlan,
    assign,
    plan_holdout,
    provable_lift,
    provable_rate_lift,
    with_buyers,
)
from rekindle.facts import Engine, Facts, find_known_until
from rekindle.gate import HouseRules
from rekindle.insights import (
    TestForecast,
    build_pace,
    build_returned,
    build_unprompted,
    forecast_test,
    lives_by_subscriptions,
    tell_goal,
)
from rekindle.journeys import (
    Book,
    Candidate,
    Journey,
    JourneyEngine,
    JourneyVersion,
    Measure,
    MemoryBook,
    Move,
    Send,
    find_customers,
    may_enter,
    sign_plan,
)
from rekindle.journeys.population import LiveAudience, save_people
from rekindle.ledger import erased_ids, learn_rates, load_click_rate
from rekindle.predictions import (
    CONFIDENCE,
    STEPS,
    GroupModels,
    Outlook,
    PastCut,
    PastGroup,
    foresee,
    load_group_models,
    past_days,
    warn_of_season,
)
from rekindle.profiles import FAMILIES, local_before, local_day
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_purchases
from rekindle.vocabulary import TOUCHED, Answer, Arm, Money, Purpose, Reason, Unknown
from rekindle.wording import percent

SCHEMA_VERSION = 1
A_DAY = timedelta(days=1)
BETWEEN_LOOKS = timedelta(hours=6)
# How far back a plan counts the events that would have let people in.
EVENTS_SEEN = timedelta(days=30)
OLD_FACTS = (
    "No order is newer than {}, so people are counted as of the end of that day. A start lets in "
    "whoever matches today: import what came since, or plan with --as-of of today."
)


@dataclass(frozen=True, slots=True)
class BaseRate:
    """What the same audience did unprompted, one goal window earlier.

    ``returned_share`` bought within the window; ``mean`` and ``standard_deviation`` are
    of their net revenue in it, zeros included.
    """

    people: int
    returned_share: float
    mean: float
    standard_deviation: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What starting a journey now would mean; ``nobody`` says why no message would leave."""

    journey: str
    as_of: datetime
    people: int
    assigned: Mapping[Arm, int]
    holdout: HoldoutPlan
    touches: Mapping[Answer, int]
    reasons: Mapping[Reason, int]
    cost: Money
    base: BaseRate | Unknown
    provable_revenue: float | Unknown
    provable_rate: float | Unknown
    outlook: Outlook | Unknown
    token: str = ""
    notes: tuple[str, ...] = ()
    nobody: str = ""
    offers: tuple[OfferForecast, ...] = ()
    tests: tuple[TestForecast, ...] = ()

    @property
    def returned(self) -> float | Unknown:
        """The share of the same audience that bought unprompted, one goal window earlier."""
        return self.base if isinstance(self.base, Unknown) else self.base.returned_share

    @property
    def returning(self) -> float | Unknown:
        """The share that is expected to buy unprompted; the holdout is sized by it."""
        return _expected_share(self.base, self.outlook)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as documented JSON; what is unknown carries its reason."""
        return {
            "version": SCHEMA_VERSION,
            "journey": self.journey,
            "as_of": self.as_of.isoformat(),
            "people": self.people,
            "assigned": {arm.value: self.assigned[arm] for arm in Arm},
            "holdout": {"share": self.holdout.share, "why": self.holdout.sentence},
            "touches": {answer.value: self.touches.get(answer, 0) for answer in TOUCHED},
            "reasons": {reason.value: n for reason, n in sorted(self.reasons.items())},
            "cost": float(self.cost.amount),
            "currency": self.cost.currency,
            "offers": [one.to_json() for one in self.offers],
            "tests": [one.to_json() for one in self.tests],
            "base_rate": _json(self.returned),
            "expected_return_rate": _json(self.returning),
            "expected_buyers": self._write_buyers(),
            "provable_revenue": _json(self.provable_revenue),
            "provable_return_rate": _json(self.provable_rate),
            "token": self.token,
            "nobody": self.nobody,
            "notes": list(self.notes),
        }

    def _write_buyers(self) -> dict[str, Any]:
        if isinstance(self.outlook, Unknown):
            return {"unknown": self.outlook.reason}
        found = self.outlook.of(self.assigned[Arm.HOLDOUT])
        return {
            "holdout": round(found.value, 1),
            "low": round(found.low),
            "high": round(found.high),
            "confidence": CONFIDENCE,
        }


def check_journey(workspace: Workspace, journey: Journey) -> list[str]:
    """Check what a journey file refers to; return what may be better in its templates.

    Raises:
        OfferError, JourneyError: an offer is not there, or can never be given.
        PredicateError: a predicate asks for what the profile does not hold.
        TemplateError: a template is missing, uses an unknown variable, or has a flaw that
            refuses (``rekindle.content.CHECKS``).
    """
    for predicate in predicates_of(journey):
        parse_predicate(predicate)
    notes: list[str] = []
    templates = load_templates(workspace.directory / "templates")
    required = MARKETING_VARIABLES if journey.purpose is Purpose.MARKETING else ()
    for send in journey.sends:
        _require_destination(workspace, send)
        form = find_form(send.channel)
        for one in send.wordings:
            if one.subject and not templates.has_subject(one.template, form):
                raise JourneyError(
                    f"the variant {one.name} of the step {send.key} has a subject, which messages "
                    f"by {send.channel} have not; give it a template of its own"
                )
            template = templates.worded(one.template, one.subject)
            templates.check(template, FAMILIES.names, required=required, form=form)
            flaws = require_flawless(templates, template, form, shop_url=workspace.config.shop.url)
            notes += [str(flaw).removeprefix(f"{workspace.directory}/") for flaw in flaws]
    check_offers(workspace, journey, templates)
    return list(dict.fromkeys(notes))


def _require_destination(workspace: Workspace, send: Send) -> None:
    known = workspace.config.channel(send.channel).destinations
    if find_form(send.channel).is_destination and known is not None and send.template not in known:
        names = ", ".join(sorted(known)) or "none"
        raise JourneyError(
            f"the step {send.key} puts people on {send.template!r}, which the settings of "
            f"{send.channel} do not name; there are: {names}"
        )


def predicates_of(journey: Journey) -> list[str]:
    """Return every predicate a journey may ask the profile, its audience first.

    A condition on what people did asks several, one for each thing done or not.
    """
    found = [journey.audience]
    for condition in journey.conditions:
        events = sorted(behaviours_in(condition))
        if not events:
            found.append(condition)
            continue
        for done in product((False, True), repeat=len(events)):
            rest = bind_flags(condition, dict(zip(events, done, strict=True)))
            if isinstance(rest, str):
                found.append(rest)
    return list(dict.fromkeys(found))


def predicates_of_house(rules: HouseRules, journey: Journey) -> list[str]:
    """Return every predicate the house rules ask the profile about people of ``journey``."""
    spared = find_customers(journey) if rules.spares_customers else None
    asked = [one for one in (rules.excluded_when, spared) if one is not None]
    return [*asked, *(worth.predicate for worth in rules.worth)]


def build_plan(workspace: Workspace, journey: Journey, at: datetime) -> Plan:
    """Return what starting ``journey`` at ``at`` would mean; nothing is written.

    Raises:
        PredicateError, TemplateError: as ``check_journey``.
    """
    said = check_journey(workspace, journey)
    audience = _Frozen(workspace, at)
    past = _Past.of(workspace, at)
    base = measure_base_rate(workspace, journey, at, past=past)
    outlook, warnings = foresee_returns(workspace, journey, at, past=past)
    share_of = _expected_share(base, outlook)
    version = _next_version(workspace, journey, at)
    candidates = audience.keep_newcomers(workspace.book, version)
    holdout = plan_holdout(people=len(candidates), buyers_expected_share=share_of)
    version = settle_version(workspace, journey, at, holdout_share=holdout.share)
    book = _walk(workspace, version, audience, at)
    tests = tuple(_forecast_tests(workspace, journey, book.moves, share_of, len(candidates), at))
    looks = [move.decision for move in book.moves if isinstance(move.step, Send)]
    decisions = Counter(decision.answer for decision in looks)
    reasons = Counter(one.reason for one in looks if one.reason is not None)
    cost = sum(move.cost_micros for move in book.moves)
    assigned = Counter(course.enrolment.arm for course in book.courses())
    share = version.holdout_share
    provable = _find_provable(base, outlook, len(candidates), share)
    is_running = find_running(workspace, journey) is not None
    return Plan(
        journey=journey.name,
        as_of=at,
        people=len(candidates),
        assigned={arm: assigned[arm] for arm in Arm},
        holdout=HoldoutPlan(
            len(candidates), share, holdout.expected_buyers, _why(journey, holdout, share)
        ),
        touches=decisions,
        reasons=reasons,
        cost=Money.from_micros(cost, workspace.config.workspace.currency),
        offers=forecast_offers(book.moves, workspace.config.workspace.currency),
        tests=tests,
        base=base,
        provable_revenue=provable[0],
        provable_rate=provable[1],
        outlook=outlook,
        token=""
        if is_running
        else sign_plan(workspace.secret, journey, len(candidates), workspace.clock.now()),
        nobody=""
        if decisions[Answer.SEND]
        else say_why_nobody(
            workspace,
            journey,
            people=len(candidates),
            reasons=people_by_reason(book.moves),
            at=at,
        ),
        notes=(
            *_tell_returns(outlook, assigned[Arm.HOLDOUT]),
            *tell_goal(journey),
            *warnings,
            *holdout_notes(journey, version),
            *offer_notes(journey),
            *(str(one) for one in tests),
            *_notes(workspace, journey, at, is_running=is_running),
            *said,
        ),
    )


def expect_returns(workspace: Workspace, journey: Journey, at: datetime) -> float | Unknown:
    """Return the share of the audience that is expected to buy unprompted, as the plan does."""
    past = _Past.of(workspace, at)
    outlook, _ = foresee_returns(workspace, journey, at, past=past)
    return _expected_share(measure_base_rate(workspace, journey, at, past=past), outlook)


def _expected_share(base: BaseRate | Unknown, outlook: Outlook | Unknown) -> float | Unknown:
    """Return the share that is expected to buy unprompted: the model's, else the last seen."""
    if isinstance(outlook, Outlook) and outlook.is_modelled:
        return outlook.share
    return base if isinstance(base, Unknown) else base.returned_share


def _find_provable(
    base: BaseRate | Unknown, outlook: Outlook | Unknown, people: int, share: float
) -> tuple[float | Unknown, float | Unknown]:
    """Return the smallest differences of revenue and of return rate that are likely to show."""
    expected = _expected_share(base, outlook)
    if isinstance(base, Unknown):
        return base, expected
    if isinstance(expected, Unknown):
        return expected, expected
    times = expected / base.returned_share if base.returned_share else 1.0
    mean, deviation = with_buyers(base.mean, base.standard_deviation, times)
    return (
        provable_lift(people=people, holdout_share=share, standard_deviation=deviation, mean=mean),
        provable_rate_lift(people=people, holdout_share=share, base_rate=expected),
    )


def find_running(workspace: Workspace, journey: Journey) -> JourneyVersion | None:
    """Return the version that takes people now, if it is this very text."""
    versions = [one for one in workspace.book.running() if one.journey.name == journey.name]
    return versions[0] if versions and versions[0].journey.text == journey.text else None


def holdout_notes(journey: Journey, version: JourneyVersion) -> Iterator[str]:
    """Yield what is to be said where the file asks for another holdout than counts."""
    share = version.holdout_share
    if journey.holdout is not None and journey.holdout != share:
        yield (
            f"The file asks for {percent(journey.holdout)} held out, but {percent(share)} counts: "
            "it was settled when the journey first started, so that nobody changes sides. "
            "Start it under another name to draw anew."
        )


def count_newcomers(workspace: Workspace, journey: Journey, at: datetime) -> int:
    """Return how many people would enter if ``journey`` started at ``at``.

    For a journey that an event lets people into: how many it would have in the last 30
    days, as far as the facts know.
    """
    audience = _Frozen(workspace, at)
    version = _next_version(workspace, journey, at)
    return len(audience.keep_newcomers(workspace.book, version))


def settle_version(
    workspace: Workspace, journey: Journey, at: datetime, *, holdout_share: float
) -> JourneyVersion:
    """Return the version that would run: the holdout and salt of an earlier one stay."""
    earlier = workspace.book.versions(journey.name)
    if earlier and earlier[-1].journey.text == journey.text:
        return earlier[-1]
    require_reading_ahead(journey, earlier, local_day(at, workspace.config.workspace.timezone))
    if earlier:
        newest, opened_at = earlier[-1], earlier[0].since
        share, salt = newest.holdout_share, newest.salt
        return JourneyVersion(journey, newest.version + 1, share, salt, at, opened_at)
    share = journey.holdout if journey.holdout is not None else holdout_share
    return JourneyVersion(journey, 1, share, salt_of(workspace, journey), at)


def salt_of(workspace: Workspace, journey: Journey) -> str:
    """Return what draws the arms of a journey in this workspace."""
    return f"{workspace.config.workspace.name}/{journey.name}"


def measure_base_rate(
    workspace: Workspace, journey: Journey, at: datetime, *, past: _Past | None = None
) -> BaseRate | Unknown:
    """Return what the audience of one goal window before ``at`` did within that window.

    ``past`` is what was known at ``at``, where somebody has found it already.
    """
    before = local_before(at, journey.goal.within, workspace.config.workspace.timezone)
    engine, facts = workspace.reading_at(at)
    past = past or _Past.of(workspace, at)
    first = engine.scalar(past.purchases.ordered_at.min())
    if first is None:
        return Unknown("nobody has bought yet, or begun a subscription that is paid")
    if first >= before:
        return Unknown(f"the facts do not reach back {journey.goal.within.days} days before")
    row = past.measure(find_matching(workspace, facts, journey.audience, before), before, at)
    if not row["people"]:
        return Unknown(
            f"nobody was in this audience {journey.goal.within.days} days before, so it "
            "cannot be seen how many return unprompted"
        )
    mean = row["total"] / row["people"]
    variance = max(row["squares"] / row["people"] - mean**2, 0.0)
    return BaseRate(row["people"], row["returned"] / row["people"], mean, variance**0.5)


class _Past:
    """What was known of purchases at one instant; a stay that begins is a purchase.

    ``has_starts`` says that such stays are known.
    """

    def __init__(self, engine: Engine, facts: Facts) -> None:
        self._engine, self._facts = engine, facts
        orders = facts.orders.filter(facts.orders.customer_id.notnull())
        self.purchases = build_purchases(orders, facts)
        self.has_starts = False
        if facts.has_subscriptions:
            # Every past day asks for them, and to find them means to add up all standings.
            self.purchases = engine.keep("plan_purchases", self.purchases)
            self.has_starts = bool(engine.scalar(self.purchases.first_at.count()))

    @classmethod
    def of(cls, workspace: Workspace, at: datetime) -> Self:
        """Return what was known at ``at``."""
        engine, facts = workspace.reading_at(at)
        return cls(engine, facts.cut(at))

    def count_returned(self, people: ir.Table, start: datetime, end: datetime) -> PastCut:
        """Return how many of ``people`` were back from ``start`` on and before ``end``."""
        found = build_returned(people, self.purchases, start, end)
        (row,) = self._engine.run(found).to_pylist()
        return PastCut(start, row["people"], row["returned"])

    def measure(self, people: ir.Table, start: datetime, end: datetime) -> dict[str, Any]:
        """Return what ``people`` did and brought in that time, as ``build_unprompted``."""
        found = build_unprompted(
            people,
            self.purchases,
            self._facts,
            (start, end),
            of_subscriptions=lives_by_subscriptions(self._engine, self._facts),
        )
        row: dict[str, Any] = self._engine.run(found).to_pylist()[0]
        return row


def foresee_returns(
    workspace: Workspace, journey: Journey, at: datetime, *, past: _Past | None = None
) -> tuple[Outlook | Unknown, list[str]]:
    """Return how many of the journey's audience will buy unprompted, and what weakens that.

    ``past`` is what was known at ``at``, where somebody has found it already.
    """
    engine, facts = workspace.reading_at(at)
    zone, horizon = workspace.config.workspace.timezone, journey.goal.within
    if horizon < A_DAY:
        return Unknown("the goal's time is shorter than a day"), []
    past = past or _Past.of(workspace, at)
    pace = engine.run(build_pace(past.purchases, at, local_before(at, horizon, zone)))
    (row,) = pace.to_pylist()
    if row["first_on"] is None:
        return Unknown("nobody has bought yet, or begun a subscription that is paid"), []
    days = (local_day(at, zone) - row["first_on"]).days
    models = _load_models(workspace, past, at, horizon_days=horizon.days, days_known=days)
    cuts: list[PastCut] = []
    groups: list[PastGroup] = []
    for back in past_days(days, horizon.days):
        start = local_before(at, timedelta(back), zone)
        end = local_before(at, timedelta(back) - horizon, zone)
        people = find_matching(workspace, facts, journey.audience, start)
        cuts.append(past.count_returned(people, start, end))
        if isinstance(models, GroupModels) and len(groups) < STEPS:
            groups.append(PastGroup(back, _ids(engine, people), cuts[-1]))
    warnings = warn_of_season(
        days,
        horizon.days,
        recent=row["recent"] / horizon.days,
        before=row["before"] / max(days - horizon.days, 1),
        of="purchases" if past.has_starts else "orders",
    )
    if isinstance(models, GroupModels):
        now = find_matching(workspace, facts.cut(at), journey.audience, at)
        modelled = models.foresee(_ids(engine, now), groups)
        if isinstance(modelled, Outlook):
            return modelled, warnings
    return foresee(cuts), warnings


def _load_models(
    workspace: Workspace, past: _Past, at: datetime, *, horizon_days: int, days_known: int
) -> GroupModels | Unknown:
    if past.has_starts:
        # Its silences are those between orders; who pays every month is not silent.
        return Unknown("a stay that begins is a return, of which the return model knows nothing")
    engine, facts = workspace.reading_at(at)
    return load_group_models(
        facts,
        engine.run,
        as_of=at,
        horizon_days=horizon_days,
        days_known=days_known,
        contacted=workspace.history.contacted(at) if workspace.has_ledger else (),
    )


def _ids(engine: Engine, people: ir.Table) -> pa.ChunkedArray:
    return engine.run(people.select("customer_id"))["customer_id"]


def _tell_returns(outlook: Outlook | Unknown, held: int) -> Iterator[str]:
    if isinstance(outlook, Outlook) and held:
        yield outlook.tell(held, f"the {held:,} held out")


def _forecast_tests(
    workspace: Workspace,
    journey: Journey,
    moves: Sequence[Move],
    returning: float | Unknown,
    people: int,
    at: datetime,
) -> Iterator[TestForecast]:
    """Yield what is to be expected of each message that has variants.

    Of those who come later as many are written to as of the ``people`` who match now.
    """
    tested = [send for send in journey.sends if send.variants]
    per_day = _measure_pace(workspace, journey, people, at) if tested else Unknown("")
    for send in tested:
        sent = [
            move.at
            for move in moves
            if move.step.key == send.key and move.decision.answer is Answer.SEND
        ]
        clicked = send.measure is Measure.CLICKED
        yield forecast_test(
            send,
            people=len(sent),
            rate=load_click_rate(workspace.ledger, send.channel, at) if clicked else returning,
            per_day=per_day
            if isinstance(per_day, Unknown) or not people
            else per_day * len(sent) / people,
            after=min(sent, default=at) - at,
            within=journey.goal.within,
        )


def _measure_pace(
    workspace: Workspace, journey: Journey, people: int, at: datetime
) -> float | Unknown:
    """Return how many people a day came to match, or had the event, in the time before."""
    if journey.trigger is not None:
        return people / (EVENTS_SEEN / A_DAY)
    before = local_before(at, journey.goal.within, workspace.config.workspace.timezone)
    engine, facts = workspace.reading_at(at)
    now = find_matching(workspace, facts.cut(at), journey.audience, at)
    then = find_matching(workspace, facts, journey.audience, before)
    if not engine.scalar(then.count()):
        return Unknown("nobody was in this audience before, so it cannot be seen how many come")
    came = engine.scalar(now.anti_join(then, "customer_id").count())
    return float(came) / (journey.goal.within / A_DAY)


def _next_version(workspace: Workspace, journey: Journey, at: datetime) -> JourneyVersion:
    return settle_version(workspace, journey, at, holdout_share=0.5)


def _walk(
    workspace: Workspace, version: JourneyVersion, audience: _Frozen, at: datetime
) -> MemoryBook:
    """Walk everyone who would enter now to the last step, day by day."""
    known = find_known_until(workspace.reading, at)
    rules = learn_rates(workspace.ledger, workspace.rules, known)
    book = MemoryBook(workspace.terms)
    save_people(*workspace.reading, book, at)
    # Who enters is settled; the walk is about what happens to them then.
    settled = replace(version.journey, trigger=None, backfill=timedelta(0), pilot=1.0)
    book.start(replace(version, journey=settled))
    engine = JourneyEngine(book, audience, rules=rules, cost=workspace.cost, assign=assign)
    engine.tick(at)
    # Several looks a day: a touch held over somebody's night must find their day.
    looks = (version.journey.longest + 2 * A_DAY) // BETWEEN_LOOKS
    for number in range(1, looks + 1):
        if book.next_due() is None:
            break
        engine.tick(at + number * BETWEEN_LOOKS)
    return book


class _Frozen:
    """Who could enter at one instant, whatever the engine's clock says later."""

    def __init__(self, workspace: Workspace, at: datetime) -> None:
        self._audience, self._at = LiveAudience(workspace), at
        # What they bought stays among the facts.
        self._erased = frozenset(erased_ids(workspace.ledger))
        self._candidates: list[Candidate] = []

    def keep_newcomers(self, book: Book, version: JourneyVersion) -> list[Candidate]:
        """Leave out the erased, and who is on the way or may not enter again yet."""
        found = [one for one in self._found(version) if one.person not in self._erased]
        past = book.past(version.journey.name, [one.person for one in found])
        open_now = _without_turns(version)
        self._candidates = [
            one for one in found if may_enter(open_now, one, past.get(one.person), self._at)
        ]
        return self._candidates

    def _found(self, version: JourneyVersion) -> list[Candidate]:
        trigger = version.journey.trigger
        if trigger is None:
            return list(self._audience.entrants(version, self._at))
        people = self._audience.did(trigger, at=self._at, since=self._at - EVENTS_SEEN)
        people = self._audience.matching(version.journey.audience, self._at, people)
        orders = self._audience.last_orders(self._at, people)
        return [Candidate(person, orders.get(person)) for person in sorted(people)]

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        return iter(self._candidates if at == self._at else ())

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        return self._audience.matching(predicate, self._at, people)

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        return self._audience.amounts(column, self._at, people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        return self._audience.dates(column, self._at, people)

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        return self._audience.last_orders(self._at, people)


def _without_turns(version: JourneyVersion) -> JourneyVersion:
    """Return a version whose back-fill lets everyone in at once who would have a turn."""
    journey = version.journey
    backfill = None if journey.backfill is None else timedelta(0)
    return replace(version, journey=replace(journey, backfill=backfill))


def _notes(
    workspace: Workspace, journey: Journey, at: datetime, *, is_running: bool
) -> Iterator[str]:
    """Yield what has to be known to read a plan rightly."""
    if at == workspace.latest() != workspace.clock.now():
        yield OLD_FACTS.format(at.astimezone(workspace.zone).date())
    if is_running:
        yield "It runs already as it stands in the file: there is nothing to start."
    others = [one.journey.name for one in workspace.book.running()]
    if others := sorted(set(others) - {journey.name}):
        yield (
            f"Whoever is held out here may be written to by what else runs: {', '.join(others)}. "
            "The lift is what this journey adds to that."
        )
    if journey.trigger is not None:
        yield (
            f"People enter when {journey.trigger.event} happens; counted are those to whom it "
            f"happened in the {EVENTS_SEEN.days} days before."
        )
    elif journey.backfill is None:
        yield "backfill: none keeps out everyone who matches at the start; later ones enter."
    elif journey.backfill:
        yield f"Those who match at the start enter spread over {write_duration(journey.backfill)}."
    if journey.pilot < 1:
        yield f"Only a pilot of {percent(journey.pilot)} may enter; raise start: to widen it."
    share = workspace.config.holdout.share
    if share and journey.purpose is Purpose.MARKETING:
        yield (
            f"{percent(share)} of those who enter a marketing journey for the first time get "
            "nothing from any ([holdout] in rekindle.toml); they count in neither arm."
        )
    if workspace.config.worth:
        yield "What a touch is expected to earn is taken from [[worth]], not measured."


def _why(journey: Journey, holdout: HoldoutPlan, share: float) -> str:
    if journey.holdout == share:
        return f"{percent(share)} held out, as the journey's file says"
    if journey.holdout is None and share == holdout.share:
        return holdout.sentence
    return f"{percent(share)} held out, as since it started"


def _json(value: float | Unknown) -> float | dict[str, str]:
    return {"unknown": value.reason} if isinstance(value, Unknown) else value
