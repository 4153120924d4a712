"""Which ids are one person: a function of the evidence alone, whatever order it came in.

Ids that share a handle are joined, unless first initials differ or the handle is of so
many people that it is a shared mailbox. Nothing here is probable: DESIGN, "One person".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rekindle.identity.model import Handle, JoinReason, Name, SharedHandle

VERSION = 2
"""Another number whenever a rule changes: everybody is judged again then."""

MOST_PEOPLE = 8
"""How many people one handle may be of before it joins nobody."""

FEW = 6
Pair = tuple[str, str]
Edge = tuple[str, str, Handle | JoinReason]
Rank = Callable[[str], tuple[object, ...]]
"""Puts ids in order: who was there first, and last the id itself."""
TOLD = frozenset({JoinReason.ALIAS, JoinReason.BY_HAND})
"""What somebody said, which stands against initials that differ."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of who is who.

    ``claims`` are the ids that each handle of several ids was given for; ``names`` what
    cards say of the ids among them. ``together`` are pairs that are one for another
    reason, ``apart`` those that somebody said are not.
    """

    claims: Mapping[Handle, Collection[str]] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    together: Mapping[Pair, JoinReason] = field(default_factory=dict)
    apart: Collection[Pair] = ()


@dataclass(frozen=True, slots=True)
class Groups:
    """Ids that are one person, each group sorted; ``edges`` say by what two met."""

    groups: Sequence[Sequence[str]]
    edges: Sequence[Edge]
    shared: Sequence[SharedHandle]


def find_groups(
    evidence: Evidence, *, rank: Rank = lambda id_: (id_,), most: int = MOST_PEOPLE
) -> Groups:
    """Return which ids are one person. Ids that share nothing are not named.

    Where not all may be one, ids are with the first that they share something with, by ``rank``:
    who was there first. So whoever is parted from a person takes nobody else along.
    """
    edges, shared = _find_edges(evidence, most)
    # What was said comes first, then what was so before, then what handles say.
    told = sorted(evidence.together.items(), key=lambda one: (one[1] not in TOLD, one[0]))
    whole: list[Edge] = [*((a, b, why) for (a, b), why in told if a != b), *edges]
    ids = sorted({id_ for a, b, _ in whole for id_ in (a, b)})
    place = {id_: number for number, id_ in enumerate(ids)}
    initials = [initial_of(evidence.names.get(id_, Name())) for id_ in ids]
    labels = _connect(len(ids), [(place[a], place[b]) for a, b, _ in whole])
    doubtful = _find_doubtful(labels, initials, place, evidence.apart)
    kept = [edge for edge in whole if labels[place[edge[0]]] not in doubtful]
    kept += _join_with_care(
        _in_order([edge for edge in whole if labels[place[edge[0]]] in doubtful], rank),
        {id_: initials[place[id_]] for id_ in ids},
        evidence.apart,
    )
    labels = _connect(len(ids), [(place[a], place[b]) for a, b, _ in kept])
    return Groups(_gather(ids, labels), kept, shared)


def initial_of(name: Name) -> str:
    """Return the first letter of a first name, without case and accent; "" for none."""
    for letter in unicodedata.normalize("NFKD", name.first).casefold():
        if letter.isalpha():
            return letter
    return ""


def _find_edges(evidence: Evidence, most: int) -> tuple[list[Edge], list[SharedHandle]]:
    edges: list[Edge] = []
    shared = []
    for handle in sorted(evidence.claims, key=lambda one: (one.kind, one.value)):
        ids = sorted(set(evidence.claims[handle]))
        if len(ids) < 2:
            continue
        if (people := _count_people(ids, evidence.names)) > most:
            shared.append(SharedHandle(handle, people))
            continue
        for group in _by_initial(ids, evidence.names):
            # All pairs of a few, so that one that is refused does not part the others.
            pairs = combinations(group, 2) if len(group) <= FEW else pairwise(group)
            edges += [(a, b, handle) for a, b in pairs]
    return edges, shared


def _count_people(ids: Sequence[str], names: Mapping[str, Name]) -> int:
    """Return how many people a handle seems to be of: a name is one, an id without one too."""
    known = [names.get(id_, Name()) for id_ in ids]
    called = {(one.first.casefold().strip(), one.last.casefold().strip()) for one in known}
    called.discard(("", ""))
    nameless = sum(1 for one in known if not one.first.strip() and not one.last.strip())
    return len(called) + nameless


def _by_initial(ids: Sequence[str], names: Mapping[str, Name]) -> list[list[str]]:
    """Return the ids of one handle that may be one: where initials differ, those of each.

    Nobody knows which of a family an id without a name is.
    """
    groups: dict[str, list[str]] = {}
    for id_ in ids:
        groups.setdefault(initial_of(names.get(id_, Name())), []).append(id_)
    known = [group for initial, group in sorted(groups.items()) if initial]
    return known if len(known) > 1 else [list(ids)]


def _connect(count: int, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the number of the component each of ``count`` nodes is in."""
    if not edges:
        return np.arange(count)
    ends = np.asarray(edges)
    graph = coo_array((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), (count, count))
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels


def _find_doubtful(
    labels: np.ndarray,
    initials: Sequence[str],
    place: Mapping[str, int],
    apart: Iterable[Pair],
) -> set[int]:
    """Return the components that hold two initials, or a pair that is to stay apart."""
    seen: dict[int, str] = {}
    doubtful = set()
    for label, initial in zip(labels.tolist(), initials, strict=True):
        if initial and seen.setdefault(label, initial) != initial:
            doubtful.add(label)
    for a, b in apart:
        if a in place and b in place and labels[place[a]] == labels[place[b]]:
            doubtful.add(int(labels[place[a]]))
    return doubtful


def _in_order(edges: Iterable[Edge], rank: Rank) -> list[Edge]:
    """Return edges, those by handles in the order in which their ids were there."""

    def key(edge: Edge) -> tuple[bool, list[tuple[object, ...]]]:
        is_by_handle = isinstance(edge[2], Handle)
        return is_by_handle, sorted(map(rank, edge[:2])) if is_by_handle else []

    return sorted(edges, key=key)


def _join_with_care(
    edges: Sequence[Edge], initials: Mapping[str, str], apart: Iterable[Pair]
) -> list[Edge]:
    """Return those edges that join nobody who differs, taken in one order.

    What somebody said comes first and stands against initials, but not against a pair
    that somebody said to keep apart.
    """
    group = {id_: id_ for a, b, _ in edges for id_ in (a, b)}
    members = {id_: {id_} for id_ in group}
    letters = {id_: {initials[id_]} - {""} for id_ in group}
    foes: dict[str, set[str]] = {id_: set() for id_ in group}
    for a, b in apart:
        if a in foes and b in foes:
            foes[a].add(b)
            foes[b].add(a)
    kept = []
    for edge in edges:
        a, b = group[edge[0]], group[edge[1]]
        if a != b:
            differs = letters[a] and letters[b] and letters[a].isdisjoint(letters[b])
            if (differs and edge[2] not in TOLD) or not foes[a].isdisjoint(members[b]):
                continue
            if len(members[a]) < len(members[b]):
                a, b = b, a
            for id_ in members[b]:
                group[id_] = a
            members[a] |= members.pop(b)
            letters[a] |= letters.pop(b)
            foes[a] |= foes.pop(b)
        kept.append(edge)
    return kept


def _gather(ids: Sequence[str], labels: np.ndarray) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for id_, label in zip(ids, labels.tolist(), strict=True):
        found.setdefault(label, []).append(id_)
    return [group for group in found.values() if len(group) > 1]
