"""What has to change so that persons are as the evidence says, and who keeps which id.

A person's id is minted once: it is spelled like the customer id that was seen first, and
a smaller one that turns up later takes nothing from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rekindle.identity.model import RULES, Handle, IdentityChange, JoinReason, Link
from rekindle.identity.rules import Groups

Rank = Callable[[str], tuple[object, ...]]


def decide_change(groups: Groups, known: Mapping[str, str], *, rank: Rank) -> IdentityChange:
    """Return the joins and splits that lead from ``known`` to ``groups``.

    ``known`` says which person an id goes by, where that is another, without a detour;
    ``rank`` who was there first. An id that goes by a person outside its group leaves that person.
    """
    reasons = _reasons(groups)
    group_of = {id_: number for number, ids in enumerate(groups.groups) for id_ in ids}
    parted = {
        id_
        for id_, person in known.items()
        if id_ != person and (id_ not in group_of or group_of.get(person) != group_of[id_])
    }
    links = []
    for ids in groups.groups:
        live = [id_ for id_ in ids if id_ in parted or known.get(id_, id_) == id_]
        kept = min(live, key=rank)
        links += [Link(id_, kept, *reasons[id_]) for id_ in live if id_ != kept]
    return IdentityChange(links, sorted(parted), groups.shared)


def apply_change(known: Mapping[str, str], change: IdentityChange) -> dict[str, str]:
    """Return which person each id goes by after a change, where that is another."""
    stays = {link.gone: link.kept for link in change.links}
    left = set(change.splits)
    after = {id_: stays.get(p, p) for id_, p in known.items() if id_ not in left}
    return {**after, **stays}


def _reasons(groups: Groups) -> dict[str, tuple[JoinReason, str]]:
    """Return for each id in a group the first of what it met another by, and which handle."""
    found: dict[str, tuple[JoinReason, str]] = {}
    for a, b, why in groups.edges:
        told = (RULES[why.kind], why.value) if isinstance(why, Handle) else (why, "")
        found.setdefault(a, told)
        found.setdefault(b, told)
    return found
