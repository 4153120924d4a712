"""Takes lists of consents and of suppressions from other systems, with their dates.

A blank says nothing. A no without a date counts from now, the latest it may have been said,
and so does one whose date cannot be read; a yes without one from before everything dated. A yes
is taken of one person alone, a no of everybody whom its row names. Of an address that nobody
has a no is kept as a keyed hash, so that whoever comes with it later is not written to.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rekindle.consent import ConsentRecord, PendingConsent, Suppression, Whom
from rekindle.errors import UsageError
from rekindle.facts import CLOCKS_DIFFER_BY, INSTANT, Column, ListedRow, read_listing
from rekindle.journeys import Signal
from rekindle.ledger import AddressBook, ledger_transaction
from rekindle.messages import AddressKind
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose, SignalKind, is_channel, is_usable_id

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_REASON = 64
BATCH = 5_000

WHO = (
    Column("customer_id", "string", "The customer.", words=("customer", "id", "user_id")),
    Column("email", "string", "Their address.", words=("e_mail", "email_address", "mail")),
    Column("phone", "string", "Their number.", words=("mobile", "phone_number", "telephone")),
    Column("channel", "string", "The channel it is about.", words=("list_channel",)),
)
AT = Column(
    "at",
    INSTANT,
    "When it was said.",
    words=("date", "said_at", "consent_at", "consented_at", "opt_in_at", "created_at", "timestamp",
           "unsubscribed_at", "bounced_at", "opt_in_time", "created"),
)  # fmt: skip
CONSENTS = (
    *WHO,
    Column("granted", "boolean", "Yes or no.", words=(
        "consent", "opt_in", "subscribed", "status", "said", "answer", "marketing_consent",
    )),
    AT,
    Column("wording", "string", "The exact words.", words=("text", "words", "consent_text")),
    Column("source", "string", "Where it was said.", words=("form", "page", "consent_source")),
    Column("confirmed", "boolean", "No for a yes that waits for its confirmation.", words=(
        "is_confirmed", "double_opt_in", "doi",
    )),
    Column("how", "string", "How it was said: form, portal, call …", words=("method",)),
)  # fmt: skip
SUPPRESSIONS = (
    *WHO,
    Column("reason", "string", "Why.", words=("type", "cause", "status", "suppression_reason")),
    Column(
        "granted",
        "boolean",
        "Yes for whoever may be written to.",
        words=(
            "consent",
            "opt_in",
            "subscribed",
            "marketing_consent",
        ),
    ),
    # Never a day of signing up: who left since would seem to have agreed after they left.
    Column(
        "at",
        INSTANT,
        "When it was said.",
        words=(
            "unsubscribed_at", "unsub_time", "unsubscribe_time", "unsubscribe_date", "opt_out_at",
            "opt_out_time", "opted_out_at", "bounced_at", "clean_time", "complained_at",
            "suppressed_at", "last_changed", "date", "said_at", "timestamp", "created_at",
            "created",
        ),
    ),
)  # fmt: skip
# What lists of providers call why nobody is written to.
REASONS: Mapping[str, SignalKind] = {
    **dict.fromkeys(
        ("bounce", "bounced", "hardbounce", "hardbounced", "permanent", "invalid", "cleaned",
         "undeliverable", "blocked"), SignalKind.BOUNCE),
    **dict.fromkeys(
        ("complaint", "spam", "spamcomplaint", "spamreport", "abuse", "complained"),
        SignalKind.COMPLAINT),
    **dict.fromkeys(
        ("", "optout", "optedout", "unsubscribe", "unsubscribed", "unsubscription", "stop",
         "manual", "manuallysuppressed", "donotcontact"), SignalKind.OPT_OUT),
}  # fmt: skip
# What lists of everybody say of those who may be written to.
WELCOME = frozenset(
    ("subscribed", "active", "optin", "optedin", "confirmed", "yes", "true", "deliverable", "valid")
)


@dataclass(frozen=True, slots=True)
class RefusedStatement:
    """A row that was set aside: its line, the reason's name, and what was wrong."""

    line: int
    problem: str
    detail: str


@dataclass(slots=True)
class ListImport:
    """What became of a list: rows read, what was written, and what was set aside, and why."""

    file: str
    read: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedStatement] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    quarantine: Path | None = None
    _lines: set[int] = field(default_factory=set)

    def refuse(self, row: ListedRow, problem: str, detail: str) -> None:
        """Set a row aside, for the first thing that is wrong with it."""
        if row.line not in self._lines:
            self._lines.add(row.line)
            self.refused.append(RefusedStatement(row.line, problem, detail))


@dataclass(frozen=True, slots=True)
class ListDefaults:
    """What holds for rows that do not say: the channel, the words, and which column is which."""

    channel: Channel
    wording: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def import_consents(
    workspace: Workspace, path: Path, defaults: ListDefaults, *, who: str
) -> ListImport:
    """Append the statements of a file to the record; return what became of its rows.

    Raises:
        SourceError: the file cannot be read.
        UsageError: it says neither who nor what, or names no channel there is.
    """
    _require_channel(workspace, defaults.channel)
    now = workspace.clock.now()
    taken, rows = _open(workspace, path, CONSENTS, defaults, needs="granted")
    for batch in _batches(rows):
        people = _Finder(workspace, batch)
        records, waiting, stops = [], [], []
        for row in batch:
            found = _consents(row, people, defaults, now, taken)
            if row.values.get("granted") and row.values.get("confirmed") is False:
                waiting += [
                    PendingConsent(one.person, one.channel, one.at, one.source, one.wording)
                    for one in found
                ]
            else:
                records += found
            if row.values.get("granted") is False:
                stops += _unknown(row, people, SignalKind.OPT_OUT, defaults, now, taken)
        with ledger_transaction(workspace.ledger):
            workspace.book.save_consent(_since_agreed(workspace, records))
            workspace.book.save_pending(waiting, now)
            workspace.book.suppress_addresses(stops)
    return _finish(workspace, taken, "consents imported", who, now)


def import_suppressions(
    workspace: Workspace, path: Path, defaults: ListDefaults, *, who: str
) -> ListImport:
    """Suppress whom a list names; return what became of its rows.

    An opt-out or a complaint from before a consent of theirs is left out: they agreed since.

    Raises:
        SourceError: the file cannot be read.
        UsageError: it says nobody, or names no channel there is.
    """
    _require_channel(workspace, defaults.channel)
    now = workspace.clock.now()
    taken, rows = _open(workspace, path, SUPPRESSIONS, defaults, needs=None)
    for batch in _batches(rows):
        people = _Finder(workspace, batch)
        signals: list[Signal] = []
        others: list[tuple[str, Suppression, datetime]] = []
        stops = []
        for row in batch:
            channel = _channel(workspace, row, defaults, taken) if row.values else None
            if channel is None:
                continue
            # A mail server's reply repeats the address, which a suppression is not to keep.
            words = str(row.values.get("reason") or "").split()
            told = " ".join("…" if "@" in word else word for word in words)[:LONGEST_REASON]
            plain = "".join(c for c in told.casefold() if c.isalnum())
            if plain in WELCOME or row.values.get("granted"):
                word = told if plain in WELCOME else "yes"
                taken.refuse(row, "no_suppression", f"{word!r} keeps nobody from being written to")
                continue
            kind = REASONS.get(plain)
            at = min(row.values.get("at") or now, now)
            stops += _unknown(row, people, kind or told, defaults, now, taken)
            address = people.address_of(row, channel) if kind is SignalKind.BOUNCE else ""
            for person in people.all_at(row, channel) if address else people.all_in(row):
                if _agreed_since(workspace, person, channel, kind, row):
                    taken.counts["agreed since"] += 1
                    continue
                taken.counts["suppressed"] += 1
                if kind is None:
                    one = Suppression(channel, Purpose.MARKETING, told)
                    others.append((person, one, at))
                    continue
                # Undated it counts from now, also where an earlier list said the same.
                said_at = row.values.get("at")
                told_at = said_at.isoformat() if said_at else f"undated {now.isoformat()}"
                key = f"list:{kind.value}:{channel}:{person}:{told_at}"
                signals.append(Signal(person, kind, at, key, channel=channel, address=address))
        with ledger_transaction(workspace.ledger):
            workspace.book.record(signals, now)
            for person, one, at in others:
                workspace.book.suppress(
                    person, one.channel, reason=one.reason, at=at, purpose=one.purpose
                )
            workspace.book.suppress_addresses(stops)
    return _finish(workspace, taken, "suppressions imported", who, now)


class _Finder:
    """Finds of whom the rows of a batch speak, in two questions."""

    def __init__(self, workspace: Workspace, rows: Iterable[ListedRow]) -> None:
        self._workspace = workspace
        told = [row.values for row in rows]
        self._book = AddressBook(workspace.ledger, secret=workspace.secret)
        self._at = self._book.find_people([address for row in rows for address in _addresses(row)])
        ids = {one["customer_id"] for one in told if one.get("customer_id")}
        usable = {one for one in ids if is_usable_id(one)}
        self._by_id = workspace.book.persons.find(usable) if usable else {}
        self._known = self._book.known_among(set(self._by_id.values()))

    def find(self, row: ListedRow) -> list[str]:
        """Return the people a row is about: by id, or else whoever has the address."""
        person = self._by_id.get(row.values.get("customer_id") or "")
        if person is not None and person in self._known:
            return [person]
        found = {one for address in _addresses(row) for one in self._at.get(address, ())}
        return sorted(found)

    def all_in(self, row: ListedRow) -> list[str]:
        """Return everybody a row names: by id, and whoever has one of its addresses."""
        named = {one for kind, value in _addresses(row) for one in self._at.get((kind, value), ())}
        return sorted({*self.find(row), *named})

    def all_at(self, row: ListedRow, channel: Channel) -> list[str]:
        """Return whoever has the address of a channel that a row names."""
        kind = self._workspace.terms.address_kind(channel)
        return list(self._at.get((kind, self.address_of(row, channel)), ()))

    def nobodys(self, row: ListedRow) -> list[tuple[str, str]]:
        """Return the addresses of a row, by kind and value, that nobody has."""
        return [one for one in _addresses(row) if not self._at.get(one)]

    def id_of(self, row: ListedRow) -> str | None:
        """Return the usable id of a row, None without one."""
        return self._by_id.get(row.values.get("customer_id") or "")

    def address_of(self, row: ListedRow, channel: Channel) -> str:
        """Return the address of a channel that a row names, "" for none."""
        kind = self._workspace.terms.address_kind(channel)
        return next((value for one, value in _addresses(row) if one == kind), "")


def _addresses(row: ListedRow) -> list[tuple[str, str]]:
    return [(kind, row.values[name]) for name, kind in KINDS.items() if row.values.get(name)]


KINDS = {"email": AddressKind.EMAIL, "phone": AddressKind.PHONE}


def _open(
    workspace: Workspace,
    path: Path,
    columns: Sequence[Column],
    defaults: ListDefaults,
    *,
    needs: str | None,
) -> tuple[ListImport, list[ListedRow]]:
    zone = workspace.config.workspace.timezone
    listing = read_listing(path, columns, chosen=defaults.columns, zone=zone)
    if not {"customer_id", "email", "phone"} & set(listing.taken):
        raise UsageError(f"{path}: no column says who: customer_id, email or phone")
    if needs is not None and needs not in listing.taken:
        raise UsageError(f"{path}: no column says {needs} (yes or no); name it with --take")
    taken = ListImport(str(path), read=len(listing.rows), columns=listing.taken)
    taken.left_out = listing.left_out
    for row in listing.rows:
        if row.trouble:
            taken.refuse(row, "unreadable", row.trouble)
    return taken, list(listing.rows)


def _batches(rows: Sequence[ListedRow]) -> Iterable[Sequence[ListedRow]]:
    return (rows[begin : begin + BATCH] for begin in range(0, len(rows), BATCH))


def _consents(
    row: ListedRow, people: _Finder, defaults: ListDefaults, now: datetime, taken: ListImport
) -> list[ConsentRecord]:
    """Return what a row states; what it cannot state is counted or set aside."""
    granted, said_at = row.values.get("granted"), row.values.get("at")
    # A no counts although another cell of its row cannot be read.
    if row.trouble and granted is not False:
        return []
    if granted is None:
        taken.counts["say nothing"] += 1
        return []
    channel = _channel(people._workspace, row, defaults, taken)
    if channel is None:
        return []
    if granted and said_at is not None and said_at > now + CLOCKS_DIFFER_BY:
        taken.refuse(row, "in_the_future", f"a yes of {said_at:%Y-%m-%d} cannot be said yet")
        return []
    found = people.find(row) if granted else people.all_in(row)
    if not found and not granted and (own := people.id_of(row)) is not None:
        found = [own]  # nobody yet; the no waits for them
    if granted and len(found) != 1:
        problem = "unknown_person" if not found else "several_people"
        detail = f"{len(found)} people have the address; a yes is taken of one person alone"
        if not found:
            detail = "nobody in the ledger goes by it; `rekindle tick` brings new people in"
        taken.refuse(row, problem, detail)
        return []
    if found:
        is_waiting = granted and row.values.get("confirmed") is False
        taken.counts["to be confirmed" if is_waiting else "yes" if granted else "no"] += 1
    undated = UNDATED if granted else now
    origin = row.values.get("source") or Path(taken.file).name
    how = row.values.get("how") or "list"
    record = ConsentRecord(
        "",
        channel,
        granted,
        min(said_at or undated, now),
        # What facts state is of an "import", and stated by them again where a ledger is lost.
        f"{'list' if how == 'import' else how}:{origin}",
        row.values.get("wording") or defaults.wording,
        since=UNDATED if not granted and said_at is None else None,
    )
    return [replace(record, person=person) for person in found]


def _since_agreed(workspace: Workspace, records: Sequence[ConsentRecord]) -> list[ConsentRecord]:
    """Return statements of which an undated no counts again where there was a yes since.

    The same list twice says nothing twice.
    """
    people = {one.person for one in records if one.since is not None}
    known = workspace.history.consents_among(people) if people else ()
    agreed = {(one.person, one.channel): one.at for one in known if one.granted}
    return [
        one
        if one.since is None
        else replace(one, since=agreed.get((one.person, one.channel), one.since))
        for one in records
    ]


def _unknown(
    row: ListedRow,
    people: _Finder,
    why: SignalKind | str,
    defaults: ListDefaults,
    now: datetime,
    taken: ListImport,
) -> list[tuple[str, str, Suppression, datetime]]:
    """Return what suppresses the addresses of a row that nobody known has."""
    if (channel := _channel(people._workspace, row, defaults, taken)) is None:
        return []
    at = min(row.values.get("at") or now, now)
    purpose = None if why is SignalKind.BOUNCE else Purpose.MARKETING
    reach = None if why is SignalKind.COMPLAINT else channel
    one = Suppression(reach, purpose, str(why), Whom.ADDRESS)
    own = people._workspace.terms.address_kind(channel)
    found = [
        (kind, value, one, at)
        for kind, value in people.nobodys(row)
        if reach is None or kind == own
    ]
    if found:
        taken.counts["kept for whoever has the address"] += 1
    elif not people.all_in(row):
        taken.refuse(row, "unknown_person", f"nobody goes by it, and it has no {own} address")
    return found


def _agreed_since(
    workspace: Workspace, person: str, channel: Channel, kind: SignalKind | None, row: ListedRow
) -> bool:
    if kind is SignalKind.BOUNCE or (said_at := row.values.get("at")) is None:
        return False
    own = [one for one in workspace.history.consents_of(person) if one.channel == channel]
    return bool(own) and own[-1].granted and own[-1].at > said_at


def _channel(
    workspace: Workspace, row: ListedRow, defaults: ListDefaults, taken: ListImport
) -> Channel | None:
    """Return the channel of a row, the default where it names none; None for no channel."""
    name = str(row.values.get("channel") or defaults.channel).strip().casefold()
    name = {"e-mail": "email", "mail": "email", "text": "sms"}.get(name, name)
    if not is_channel(name) or name not in workspace.capabilities:
        taken.refuse(row, "unknown_channel", f"{name[:40]!r} is no channel")
        return None
    kinds, own = [kind for kind, _ in _addresses(row)], workspace.terms.address_kind(Channel(name))
    is_told = row.values.get("channel") or row.values.get("customer_id") or own in kinds
    if not is_told and kinds and own in KINDS.values():
        detail = f"it names no {own} address and no channel; say which in a column, or --channel"
        taken.refuse(row, "which_channel", detail)
        return None
    return Channel(name)


def _require_channel(workspace: Workspace, channel: Channel) -> None:
    if channel not in workspace.capabilities:
        known = ", ".join(workspace.capabilities)
        raise UsageError(f"{channel!r} is no channel; there are {known}")


def _finish(
    workspace: Workspace, taken: ListImport, action: str, who: str, now: datetime
) -> ListImport:
    """Write what was set aside to a file, and the import into the audit log."""
    if taken.refused:
        taken.refused.sort(key=lambda one: one.line)
        folder = workspace.directory / "state" / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{action.split(maxsplit=1)[0]}-{now:%Y%m%dT%H%M%S}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "problem", "detail"])
            writer.writerows((one.line, one.problem, one.detail) for one in taken.refused)
        taken.quarantine = path
    detail: dict[str, Any] = {"read": taken.read, "set aside": len(taken.refused), **taken.counts}
    workspace.audit_log.write(who, action, Path(taken.file).name, detail, now)
    return taken
