"""Learns once a day whom each journey moves, keeps it, and lets the gate know.

A journey's own holdout says who would have returned without it. What is learned of it speaks
of the version as it was sent to everybody, and only where its order of people held out of
sample; everything that makes it say nothing is written down in its place.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.errors import BusyError, RekindleError
from rekindle.experiments import MISMATCH, find_mismatch
from rekindle.facts import CONTRACTS, OWN_SCORES
from rekindle.gate import UpliftRule
from rekindle.insights import DrawnPerson, find_net_revenue
from rekindle.journeys import Journey, JourneyVersion
from rekindle.ledger import (
    UpliftEntry,
    erased_ids,
    load_first_held_back,
    load_first_stopped,
    load_uplifts,
    note_uplift,
)
from rekindle.predictions import (
    EPOCH,
    MOMENT,
    Histories,
    HistoryParts,
    MovingModel,
    Participant,
    as_shares,
    fit_moving,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import MICROS, Arm, Purpose, Unknown
from rekindle.wording import percent
from rekindle.worker.keeping.scores import keep_rows
from rekindle.worker.keeping.stopping import find_drawn, find_sent

A_YEAR = timedelta(days=365)
"""The newest people learned from may have entered so long ago: seasons and shops change."""
MOST_LEARNED = 50_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Lesson:
    """What was learned of a journey: ``messages`` is what a treated person got of it.

    ``basket`` is the mean net revenue of who came back, ``newest`` when the last entered.
    """

    model: MovingModel
    people: int
    messages: float
    basket: float
    newest: datetime


def know_uplifts(workspace: Workspace, at: datetime) -> Mapping[str, UpliftRule]:
    """Return the models that may leave single people out, by journey.

    Each running journey is learned from anew on every day of the business. What keeps one from
    being learned is logged, and nobody is left out.
    """
    settings, margin = workspace.config.stopping, workspace.config.offers.margin
    if not settings.by_person or margin is None:
        return {}
    found: dict[str, UpliftRule] = {}
    for version in workspace.book.running():
        if version.journey.purpose is not Purpose.MARKETING:
            continue
        try:
            entry = _know(workspace, version, at)
        except BusyError:  # an import is running; the next pass learns it
            continue
        except RekindleError as error:
            logger.error("whom %s moves cannot be learned: %s", version.journey.name, error)
            continue
        if rule := _build_rule(entry, float(margin), at, workspace.zone):
            found[version.journey.name] = rule
    return found


@dataclass(frozen=True)
class LearnedUplift:
    """A model of whom a journey moves, and of how many each message would be held back by it.

    ``left_out`` is of everybody scored, by step, for the cost of the message alone; empty where
    the model may not exclude.
    """

    entry: UpliftEntry
    left_out: Mapping[str, int]


def look_at_uplift(
    workspace: Workspace, version: JourneyVersion, at: datetime, *, is_kept: bool = False
) -> LearnedUplift:
    """Learn whom a version of a journey moves; where ``is_kept``, for the gate to go by.

    Raises:
        BusyError: an import is running.
        LakeError: the figures cannot be written.
    """
    entry, lesson = _learn_entry(workspace, version, at)
    left_out: dict[str, int] = {}
    if lesson is not None:
        rows = _score(workspace, version.journey.name, entry, lesson)
        entry = replace(entry, scored=rows.num_rows)
        left_out = _count_left_out(workspace, version.journey, rows, lesson.messages)
        if is_kept:
            keep_rows(workspace, CONTRACTS["uplifts"], rows, at)
            logger.info("of whom %s moves %d figures are kept", entry.journey, entry.scored)
    if is_kept:
        note_uplift(workspace.ledger, entry)
    return LearnedUplift(entry, left_out)


def _count_left_out(
    workspace: Workspace, journey: Journey, rows: pa.Table, messages: float
) -> dict[str, int]:
    margin = float(workspace.config.offers.margin or 0)
    high, basket = (rows[name].cast(pa.float64()).to_numpy() for name in ("uplift_high", "basket"))
    most = high * basket * margin / messages
    return {
        send.key: int((most < workspace.cost.get(send.channel, 0) / MICROS).sum())
        for send in journey.sends
    }


def _learn_entry(
    workspace: Workspace, version: JourneyVersion, at: datetime
) -> tuple[UpliftEntry, _Lesson | None]:
    """Return what is learned of a version, or an entry that says why nothing is."""
    journey = version.journey
    content = find_content(workspace, journey)
    entry = UpliftEntry(journey.name, version.version, at, content)
    _, first = load_uplifts(workspace.ledger, journey.name, version.version)
    if first and first != content:
        trouble = "what its messages say was changed since; a new version is learned anew"
        return replace(entry, trouble=trouble), None
    lesson = _learn(workspace, version, at)
    if isinstance(lesson, Unknown):
        return replace(entry, trouble=lesson.reason), None
    judged = lesson.model.judged
    entry = replace(
        entry,
        people=lesson.people,
        messages=lesson.messages,
        qini=judged.qini,
        qini_low=judged.low,
        qini_high=judged.high,
    )
    if not judged.may_exclude:
        trouble = (
            f"the order it puts people in did not hold out of sample (Qini {judged.qini:.3g}, "
            f"{judged.low:.3g} to {judged.high:.3g})"
        )
        return replace(entry, trouble=trouble), None
    last = lesson.newest + A_YEAR
    until = min(at + workspace.config.scores.good_for, last).astimezone(workspace.zone).date()
    return replace(entry, scored_at=at - MOMENT, good_until=until), lesson


def find_content(workspace: Workspace, journey: Journey) -> str:
    """Return a digest of what a journey's messages say: of its templates, and what they give."""
    digest = hashlib.sha256()
    names = {one.template for send in journey.sends for one in send.wordings}
    folder = workspace.directory / "templates"
    paths = {path for path in folder.glob("*") if path.name.partition(".")[0] in names}
    if any(send.offer is not None for send in journey.sends):
        paths.add(workspace.directory / "offers.yaml")
    for path in sorted(paths):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _know(workspace: Workspace, version: JourneyVersion, at: datetime) -> UpliftEntry:
    """Return the newest model of a version, learned today."""
    name = version.journey.name
    entry, _ = load_uplifts(workspace.ledger, name, version.version)
    is_of_today = entry is not None and _day(entry.found_at, workspace.zone) >= _day(
        at, workspace.zone
    )
    if entry is None or not is_of_today:
        entry = look_at_uplift(workspace, version, at, is_kept=True).entry
    if not entry.trouble and find_content(workspace, version.journey) != entry.content:
        return replace(entry, trouble="what its messages say was changed today")
    return entry


def _build_rule(
    entry: UpliftEntry, margin: float, at: datetime, zone: ZoneInfo
) -> UpliftRule | None:
    """Return what the gate may decide by a model; None where that is nothing."""
    if entry.trouble or not entry.messages or entry.scored_at is None or entry.good_until is None:
        return None
    if entry.good_until < at.astimezone(zone).date():
        return None
    return UpliftRule(entry.version, entry.scored_at, entry.people, entry.messages, margin)


def _learn(workspace: Workspace, version: JourneyVersion, at: datetime) -> _Lesson | Unknown:
    journey, share = version.journey, version.holdout_share
    if share <= 0:
        return Unknown("it holds nobody out, so nobody knows who returns without it")
    drawn = _find_whole(workspace, version, at)
    if not drawn:
        return Unknown("nobody who got all of its messages has been in it for the goal's time yet")
    newest = max(one.at for one in drawn)
    if newest + A_YEAR <= at:
        return Unknown("the newest of the people it could be learned from entered over a year ago")
    treated = [one for one in drawn if one.arm is Arm.TREATMENT]
    sizes = {Arm.TREATMENT.value: len(treated), Arm.HOLDOUT.value: len(drawn) - len(treated)}
    planned = {Arm.TREATMENT.value: 1 - share, Arm.HOLDOUT.value: share}
    chance = find_mismatch(sizes, planned)
    if not isinstance(chance, Unknown) and chance < MISMATCH:
        return Unknown(
            f"{percent(sizes[Arm.HOLDOUT.value] / len(drawn))} of its people are in the holdout "
            f"where {percent(share)} were drawn, which is no chance"
        )
    ends = {one.person: one.at + journey.goal.within for one in treated}
    sent = sum(who in ends and when <= ends[who] for who, when in find_sent(workspace, journey))
    if not sent:
        return Unknown("no message left to anybody whose time is over")
    engine, facts = workspace.reading
    brought = find_net_revenue(drawn, (facts, engine), within=journey.goal.within, until=at)
    earned = [value for value in brought.values() if value > 0]
    if not earned:
        return Unknown("nobody brought anything, so that a return has no worth")
    histories = _read_histories(workspace, [one.person for one in drawn], at)
    model = fit_moving(histories, _take_part(drawn, brought, workspace.zone))
    if isinstance(model, Unknown):
        return model
    return _Lesson(model, model.judged.people, sent / len(treated), float(np.mean(earned)), newest)


def _find_whole(workspace: Workspace, version: JourneyVersion, at: datetime) -> list[DrawnPerson]:
    """Return who entered a version before any message of it was left out, and is done.

    Who entered later may have got less, by what is foreseen of them: learned from, that would
    make itself true.
    """
    name, number = version.journey.name, version.version
    stops = [*load_first_stopped(workspace.ledger, name, number).values()]
    if (held := load_first_held_back(workspace.ledger, name, number)) is not None:
        stops.append(held)
    end = min(stops, default=at)
    return [
        one
        for one in find_drawn(workspace, version)
        if version.started_at <= one.at < end and one.at + version.journey.goal.within <= at
    ]


def _read_histories(workspace: Workspace, people: Sequence[str], at: datetime) -> Histories:
    engine, facts = workspace.reading
    chosen = pa.array(sorted(people)[:: max(1, -(-len(people) // MOST_LEARNED))], pa.string())
    return HistoryParts(facts, engine.run, at).sample(chosen).histories


def _take_part(
    drawn: Collection[DrawnPerson], brought: Mapping[str, float], zone: ZoneInfo
) -> list[Participant]:
    return [
        Participant(
            one.person,
            one.arm is Arm.TREATMENT,
            (_day(one.at, zone) - EPOCH).days,
            brought.get(one.person, 0.0) > 0,
        )
        for one in drawn
    ]


def _score(workspace: Workspace, journey: str, entry: UpliftEntry, lesson: _Lesson) -> pa.Table:
    """Return a row of the table ``uplifts`` for everybody who ever ordered, as of the model."""
    assert entry.scored_at is not None
    at = entry.scored_at + MOMENT
    engine, facts = workspace.reading
    today = (_day(at, workspace.zone) - EPOCH).days
    erased = pa.array(erased_ids(workspace.ledger), pa.string())
    parts = []
    for part in HistoryParts(facts, engine.run, at):
        known = part.known(today + 1)
        uplift, low, high = lesson.model.estimate(known, today)
        asked = np.flatnonzero(np.isfinite(uplift))
        own = np.maximum(known.worth[asked] / known.count[asked], lesson.basket)
        parts.append(
            pa.table(
                {
                    "customer_id": part.ids(asked),
                    "uplift": as_shares(pa.chunked_array([uplift[asked]])),
                    "uplift_low": as_shares(pa.chunked_array([low[asked]])),
                    "uplift_high": as_shares(pa.chunked_array([high[asked]])),
                    "basket": as_shares(pa.chunked_array([own])),
                }
            )
        )
    rows = pa.concat_tables(parts)
    rows = rows.filter(pc.invert(pc.is_in(rows["customer_id"], erased)))
    same = {
        "source": OWN_SCORES,
        "journey": journey,
        "scored_at": entry.scored_at,
        "good_until_on": entry.good_until,
    }
    schema = CONTRACTS["uplifts"].schema.to_pyarrow()
    columns = [
        rows[field.name].cast(field.type)
        if field.name in rows.column_names
        else pa.repeat(pa.scalar(same[field.name], field.type), rows.num_rows)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
