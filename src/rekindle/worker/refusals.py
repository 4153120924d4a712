"""What people and the team refused, written down outside the ledger, and said again to a copy.

Opt-outs, erasures, exclusions, wishes, pauses and stops must not be forgotten, even where
the ledger is. Whenever the mark is set, those since the last time go into a file of lines;
people stand in it as keyed hashes. A copy of the ledger that is accepted hears them again.
"""

from __future__ import annotations

import hmac
import json
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rekindle.consent import ConsentRecord, Exclusion, Preferences
from rekindle.errors import WorkError
from rekindle.ledger import (
    add_suppressions,
    audit_entries_since,
    everybody,
    ids_of,
    ledger_transaction,
    suppressions_since,
    withdrawals_since,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel

FILE = "state/ledger.refusals"
PURPOSE = b"rekindle.refusals"
HASH_BYTES = 16
KEPT = timedelta(days=400)
REMEMBERED = 2000
OVERLAP = 200
"""So many rows are read again: a transaction may commit after a later one did."""

SUPPRESSED, WITHDREW = "suppressed", "withdrew"
PERSONAL = ("erased", "excluded", "included", "preferences")
STEERING = ("started", "paused", "resumed", "stopped")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. ``who`` is the hash of a person, or "" where it is about a ``journey``.

    ``number`` is the number of the mark with which it was written down. ``also`` are the hashes
    of ids that were this person then: an older copy may take them for somebody else yet.
    """

    number: int
    kind: str
    at: str
    who: str = ""
    journey: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    also: Sequence[str] = ()

    @property
    def is_personal(self) -> bool:
        """Return whether it is about a person."""
        return not self.journey


@dataclass(frozen=True, slots=True)
class SaidAgain:
    """What an accepted copy heard: how many refusals of each kind, and of how many nobody here.

    ``journeys`` is the state in which the lost ledger had journeys that this one knows,
    ``missing`` the journeys that were started since and are not on record.
    """

    counts: Mapping[str, int]
    strangers: int
    journeys: Mapping[str, str]
    missing: Sequence[str] = ()


class Refusals:
    """The file of refusals of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._path = workspace.directory / FILE
        self._recent: deque[str] | None = None

    def beyond(self, number: int) -> Iterator[Refusal]:
        """Yield what was written down with a later mark than this, oldest first."""
        for one in self._read():
            if one.number > number:
                yield one

    def add(self, number: int, *, since: Mapping[str, int]) -> None:
        """Write down what the ledger was told beyond the rows of ``since``."""
        recent = self._load_recent()
        fresh: dict[str, str] = {}
        for one in self._told(number, since):
            content = json.dumps({**asdict(one), "number": 0}, sort_keys=True)
            if content not in recent:
                fresh.setdefault(content, json.dumps(asdict(one), ensure_ascii=False))
        if fresh:
            self._append(fresh.values())
            recent.extend(fresh)  # not before: a full disk is no line

    def _told(self, number: int, since: Mapping[str, int]) -> Iterator[Refusal]:
        alias = self._workspace.ledger
        after = {name: max(0, newest - OVERLAP) for name, newest in since.items()}
        suppressed = suppressions_since(alias, after.get("suppressions", 0))
        withdrawn = withdrawals_since(alias, after.get("consents", 0))
        newest = after.get("entries of the log", 0)
        entries = audit_entries_since(alias, newest, (*PERSONAL, *STEERING))
        people = {person for person, _ in (*suppressed, *withdrawn) if person is not None}
        people |= {entry.subject for entry in entries if entry.action in PERSONAL}
        others = ids_of(alias, people)

        def told(kind: str, at: str, person: str | None, detail: Mapping[str, Any]) -> Refusal:
            also = [self._hash(id_) for id_ in others.get(person or "", ())]
            return Refusal(number, kind, at, self._hash(person), "", detail, also)

        for kind, rows in ((SUPPRESSED, suppressed), (WITHDREW, withdrawn)):
            for person, row in rows:
                detail = _plain(row)
                yield told(kind, str(detail.get("at")), person, detail)
        for entry in entries:
            at, detail = entry.at.isoformat(), _kept(entry.action, entry.detail)
            if entry.action in PERSONAL:
                yield told(entry.action, at, entry.subject, detail)
            else:
                yield Refusal(number, entry.action, at, "", entry.subject, detail)

    def _hash(self, person: str | None) -> str:
        return "" if person is None else hash_person(self._workspace.secret, person)

    def _load_recent(self) -> deque[str]:
        if self._recent is None:
            kept = [one for one in self._read() if not _is_old(one, self._workspace.clock.now())]
            lines = (json.dumps({**asdict(one), "number": 0}, sort_keys=True) for one in kept)
            self._recent = deque(lines, maxlen=REMEMBERED)
        return self._recent

    def _append(self, lines: Iterable[str]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            if file.tell() and not self._path.read_bytes().endswith(b"\n"):
                file.write("\n")
            file.writelines(line + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> Iterator[Refusal]:
        try:
            with self._path.open(encoding="utf-8") as file:
                for line in file:
                    # A process that died while it wrote leaves half a line, which the next
                    # one writes again whole: its mark was not set.
                    if line.endswith("}\n"):
                        yield _parse(line)
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            raise WorkError(f"{self._path} cannot be read: {error}") from error


def hash_person(secret: bytes, person: str) -> str:
    """Return the keyed hash by which a person stands in the file."""
    key = hmac.digest(secret, PURPOSE, "sha256")
    return hmac.digest(key, person.encode("utf-8", "surrogatepass"), "sha256")[:HASH_BYTES].hex()


def say_again(workspace: Workspace, refusals: Sequence[Refusal]) -> SaidAgain:
    """Tell a copy of the ledger what was refused since; return what that was.

    Everything comes in the order in which it happened. What is about a journey is only
    returned: its people have to be let in and out first.
    """
    people = _people_of(workspace, refusals)
    counts: Counter[str] = Counter()
    strangers = 0
    with ledger_transaction(workspace.ledger):
        for one in refusals:
            if not one.is_personal:
                continue
            found: list[str | None] = [people[who] for who in (one.who, *one.also) if who in people]
            if not found and (one.kind != SUPPRESSED or not one.detail.get("address_hash")):
                strangers += 1
                continue
            for person in found or [None]:
                _say(workspace, one, person)
            counts[one.kind] += 1
    states = {one.journey: one.kind for one in refusals if one.journey}
    known = workspace.history.journeys()
    missing = sorted(name for name in states if name not in known)
    return SaidAgain(
        counts, strangers, {name: kind for name, kind in states.items() if name in known}, missing
    )


def _people_of(workspace: Workspace, refusals: Iterable[Refusal]) -> dict[str, str]:
    wanted = {who for one in refusals for who in (one.who, *one.also) if who}
    if not wanted:
        return {}
    hashed = ((hash_person(workspace.secret, one), one) for one in everybody(workspace.ledger))
    return {word: person for word, person in hashed if word in wanted}


def _say(workspace: Workspace, one: Refusal, person: str | None) -> None:
    """Do again what was done; the audit log says so under its own time."""
    book, at, detail = workspace.book, datetime.fromisoformat(one.at), one.detail
    if one.kind == SUPPRESSED:
        add_suppressions(workspace.ledger, [(person, detail)])
        return
    assert person is not None, "only suppressions are of nobody"
    if one.kind == WITHDREW:
        channel = Channel(detail["channel"])
        book.save_consent([ConsentRecord(person, channel, False, at, str(detail["source"]))])
    elif one.kind == "erased":
        book.erase(person, at)
    elif one.kind == "excluded":
        until = detail.get("until")
        ends = datetime.fromisoformat(until) if until else None
        book.exclude(person, Exclusion(detail["why"]), at=at, until=ends)
    elif one.kind == "included":
        book.include(person, Exclusion(detail["why"]))
    else:
        book.save_preferences(person, _preferences(detail))


def _preferences(detail: Mapping[str, Any]) -> Preferences:
    until, every = detail.get("snoozed_until"), detail.get("at_most_every_days")
    return Preferences(
        snoozed_until=datetime.fromisoformat(until) if until else None,
        muted_topics=frozenset(detail.get("muted_topics", ())),
        at_most_every=timedelta(days=every) if every else None,
    )


def _kept(action: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an entry that is needed to do it again; no words that were typed."""
    names = {
        "excluded": ("why", "until"),
        "included": ("why",),
        "preferences": ("snoozed_until", "muted_topics", "at_most_every_days"),
    }.get(action, ())
    return {name: detail.get(name) for name in names}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _parse(line: str) -> Refusal:
    return Refusal(**json.loads(line))


def _is_old(one: Refusal, now: datetime) -> bool:
    return datetime.fromisoformat(one.at) < now - KEPT
