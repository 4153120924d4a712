"""The one authority on who is one person, where there is a ledger.

A join and all that follows from it are one transaction; so is the way back. Whoever
writes under a person's id shares a lock that a join takes alone, and looks the person up
under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rekindle.gate import BookRules
from rekindle.identity import Evidence, IdentityChange, Join, JoinReason, Link
from rekindle.ledger import intake_models
from rekindle.ledger.book.persons.following import Moves, follow
from rekindle.ledger.book.persons.looking import find_persons
from rekindle.ledger.book.persons.parting import part
from rekindle.ledger.guards.forgetting import erased_ids
from rekindle.ledger.queries import (
    execute,
    fetch,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import know_people
from rekindle.ledger.versions import Versions

Erase = Callable[[str, datetime], object]
"""Forgets a person; who is joined to somebody erased is erased as well."""

RULES = "rules"
"""Who is said to have joined or parted two, where a rule did."""

AT_ONCE = 1000
"""Joins of one transaction: a kill loses little, and others wait shortly."""


class Persons:
    """Who is one person in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, versions: Versions, terms: BookRules, erase: Erase) -> None:
        self._alias = alias
        self._versions = versions
        self._terms = terms
        self._erase = erase

    def version(self) -> str:
        """Return a word that changes whenever somebody becomes another, or parts."""
        return "/".join(str(number) for number in fetch(self._alias, "persons_version")[0])

    def known(self) -> dict[str, str]:
        """Return the person of every customer id that goes by another."""
        return dict(fetch(self._alias, "known_persons"))

    def find(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the person each of these ids goes by, itself where it is one."""
        return find_persons(self._alias, ids)

    def ids_of(self, person: str) -> list[str]:
        """Return the ids that stand for a person; anonymous ones begin with a space."""
        return self._pointing([person]).get(person, [])

    def told(self) -> Evidence:
        """Return what somebody said of who is one person and who is not."""
        together: dict[tuple[str, str], JoinReason] = {}
        apart = []
        for gone, kept, reason, is_undone in fetch(self._alias, "told_joins"):
            if is_undone:
                apart.append((gone, kept))
            else:
                together[gone, kept] = JoinReason(reason)
        for id_, person in fetch(self._alias, "aliases_without_join"):
            together[id_, person] = JoinReason.ALIAS
        # Who was parted and joined again is one: what holds now was said last.
        apart = [(a, b) for a, b in apart if (a, b) not in together and (b, a) not in together]
        return Evidence(together=together, apart=apart)

    def live(self, ids: Iterable[str]) -> frozenset[str]:
        """Return those of these ids who are persons on file."""
        rows = fetch(self._alias, "live_persons", rows_of((id_,) for id_ in sorted(set(ids))))
        return frozenset(id_ for (id_,) in rows)

    def apply(self, change: IdentityChange, at: datetime) -> None:
        """Do what a change says, a part at a time; killed in between, the next one goes on."""
        # Of whom nothing is on file any more there is no evidence either: they stay who they were.
        gone = set(erased_ids(self._alias)) if change.splits else ()
        splits = [one for one in change.splits if one not in gone]
        for start in range(0, len(splits), AT_ONCE):
            self.part(splits[start : start + AT_ONCE], at, by=RULES)
        for start in range(0, len(change.links), AT_ONCE):
            self.join(change.links[start : start + AT_ONCE], at, by=RULES)

    def join(self, links: Sequence[Link], at: datetime, *, by: str) -> int:
        """Let each ``gone`` be its ``kept``, with all that is theirs; return how many were not."""
        alias = self._alias
        with ledger_transaction(alias):
            fetch(alias, "hold_persons")
            now = self.find(id_ for link in links for id_ in (link.gone, link.kept))
            fresh: dict[str, Link] = {}
            for link in links:
                gone, kept = now[link.gone], now[link.kept]
                while kept in fresh:
                    kept = fresh[kept].kept
                if gone != kept and gone not in fresh:
                    fresh[gone] = Link(gone, kept, link.reason, link.evidence)
            self._follow([_direct(link, fresh) for link in fresh.values()], at, by)
        return len(fresh)

    def finish(self, at: datetime) -> None:
        """Let what is theirs follow ids that stood for another when nothing followed yet."""
        with ledger_transaction(self._alias):
            fetch(self._alias, "hold_persons")
            rows = fetch(self._alias, "aliases_left_behind")
            links = [Link(id_, person, JoinReason.ALIAS, "") for id_, person in rows]
            self._follow(links, at, RULES)

    def _follow(self, links: Sequence[Link], at: datetime, by: str) -> None:
        if not links:
            return
        alias = self._alias
        on_file = self.live(link.gone for link in links)
        pairs = sorted((link.gone, link.kept) for link in links if link.gone in on_file)
        moves: Moves = {}
        if pairs:
            know_people(alias, {kept for _, kept in pairs})
            moves, erased = follow(alias, self._versions, self._terms, pairs, at)
            for person in erased:
                self._erase(person, at)
        rows = sorted((link.gone, link.kept) for link in links)
        pointing = self._pointing(gone for gone, _ in rows)
        execute(
            alias, "add_aliases", rows_of((gone, kept, text_of(at), None) for gone, kept in rows)
        )
        execute(alias, "follow_aliases", rows_of(rows))
        with ledger_errors():
            intake_models.Join.objects.using(alias).bulk_create(
                intake_models.Join(
                    gone=link.gone,
                    kept=link.kept,
                    reason=link.reason.value,
                    evidence=link.evidence,
                    at=at,
                    by=by,
                    moved={**moves.get(link.gone, {}), "aliases": pointing.get(link.gone, [])},
                )
                for link in links
            )

    def part(self, ids: Sequence[str], at: datetime, *, by: str) -> list[str]:
        """Let these ids be persons of their own again; return who was not before.

        What came to the other with them goes back; what neither may be asked or sent holds
        for both.
        """
        with ledger_transaction(self._alias):
            fetch(self._alias, "hold_persons")
            return part(self._alias, ids, at, by=by)

    def log(self, person: str | None = None) -> list[Join]:
        """Return every join, or those of one person, the oldest first."""
        rows = intake_models.Join.objects.using(self._alias)
        if person is not None:
            rows = rows.filter(gone=person) | rows.filter(kept=person)
        with ledger_errors():
            return [
                Join(
                    row.gone,
                    row.kept,
                    JoinReason(row.reason),
                    row.evidence,
                    row.at,
                    row.by,
                    row.undone_at,
                )
                for row in rows.order_by("id")
            ]

    def note(self, evidence: str, at: datetime) -> None:
        """Write down the version of the evidence that persons were brought up to."""
        with ledger_transaction(self._alias):
            execute(self._alias, "note_settling", rows_of([(evidence, text_of(at))]))

    def noted(self) -> str | None:
        """Return the version of the evidence persons were brought up to, or None."""
        with ledger_errors():
            rows = intake_models.Settling.objects.using(self._alias)
            return rows.values_list("evidence", flat=True).first()

    def _pointing(self, people: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        rows = fetch(self._alias, "ids_pointing_at", rows_of((one,) for one in people))
        for id_, person in rows:
            found.setdefault(person, []).append(id_)
        return found


def _direct(link: Link, fresh: Mapping[str, Link]) -> Link:
    """Return a link to somebody who stays: nobody goes to who goes as well."""
    kept = link.kept
    while kept in fresh:
        kept = fresh[kept].kept
    return Link(link.gone, kept, link.reason, link.evidence)
