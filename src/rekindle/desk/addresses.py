"""The way back from a suppression that was wrong: with evidence, and into the audit log.

A bounce is a server's word about an address, and servers err. An opt-out and a complaint
are a person's own word, and only that person takes it back: by a consent of theirs that is
newer than what it takes back, and on the channels they consented to alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rekindle.errors import UsageError
from rekindle.ledger import SuppressionEntry, ledger_transaction
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, SignalKind

OWN_WORD = frozenset({SignalKind.OPT_OUT.value, SignalKind.COMPLAINT.value, "never"})
FOR_GOOD = frozenset({"erased"})
SHORTEST_EVIDENCE = 8


@dataclass(frozen=True, slots=True)
class Restored:
    """What was lifted, and what stays because it is the person's own word."""

    lifted: tuple[SuppressionEntry, ...]
    kept: tuple[SuppressionEntry, ...]


def restore_address(
    workspace: Workspace, person: str, *, because: str, who: str, channel: str | None = None
) -> Restored:
    """Lift what keeps messages from a person and can be lifted; return what was and was not.

    ``because`` is the evidence, kept in the audit log. ``channel`` None is every one. What
    the person said is lifted only for channels on which they consented themselves since.

    Raises:
        UsageError: nobody goes by this id, nothing stands against them, or the evidence is
            too short to be any.
    """
    at = workspace.clock.now()
    evidence = " ".join(because.split())
    if len(evidence) < SHORTEST_EVIDENCE:
        raise UsageError("say how you know that the address is good, in a few words: --because")
    if workspace.history.person(person) is None:
        raise UsageError(f"no customer {person!r} in the ledger")
    found = [
        one
        for one in workspace.history.suppressions_of(person)
        if channel is None or one.channel in (None, channel)
    ]
    if not found:
        raise UsageError(f"nothing keeps messages from {person}; `rekindle explain` says more")
    lifted = tuple(one for one in found if _may_be_lifted(workspace, person, one, at))
    if lifted:
        with ledger_transaction(workspace.ledger):
            workspace.book.lift(person, [(one.channel, one.purpose, one.reason) for one in lifted])
            for one in lifted:
                for other in _not_meant(workspace, person, one, at):
                    workspace.book.suppress(
                        person, other, reason=one.reason, at=one.at, purpose=one.purpose
                    )
            detail = {
                "because": evidence,
                "lifted": [
                    {"channel": one.channel, "reason": one.reason, "since": one.at.isoformat()}
                    for one in lifted
                ],
            }
            workspace.audit_log.write(who, "address restored", person, detail, at)
    reasons = {one.reason for one in lifted}
    left = workspace.history.suppressions_of(person)
    kept = tuple(one for one in left if one in found or one.reason in reasons)
    return Restored(lifted, kept)


def _may_be_lifted(workspace: Workspace, person: str, one: SuppressionEntry, at: datetime) -> bool:
    if one.reason in FOR_GOOD:
        return False
    if one.reason not in OWN_WORD:
        return True
    agreed = _agreed(workspace, person, since=one.at, at=at)
    return bool(agreed) if one.channel is None else one.channel in agreed


def _not_meant(
    workspace: Workspace, person: str, one: SuppressionEntry, at: datetime
) -> list[Channel]:
    """Return the channels for which a word about all of them stands on."""
    if one.channel is not None or one.reason not in OWN_WORD:
        return []
    agreed = _agreed(workspace, person, since=one.at, at=at)
    return [channel for channel in workspace.capabilities if channel not in agreed]


def _agreed(workspace: Workspace, person: str, *, since: datetime, at: datetime) -> set[Channel]:
    """Return the channels of which somebody's newest word is a yes, said after ``since``."""
    newest: dict[Channel, tuple[datetime, bool]] = {}
    for said in workspace.history.consents_of(person):
        if said.at <= at:
            newest[said.channel] = (said.at, said.granted)
    return {channel for channel, (when, granted) in newest.items() if granted and when > since}
