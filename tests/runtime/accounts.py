"""The account of a siege: what the mail server took, held against what the ledger says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rekindle.ledger import History, MessageEntry, MessageState, Outbox
from rekindle.ledger.models import Budget
from rekindle.ledger.outbox import touch_key
from rekindle.testing.smtp_sink import SmtpSink
from rekindle.vocabulary import Arm, Reason

JOURNEY = "call-back"
STEPS = 2
SILENT = frozenset({MessageState.CANCELLED, MessageState.FAILED})
# Why a message of this business may rightly not be sent.
GOOD_REASONS = frozenset(
    {
        Reason.ORDER,
        Reason.OPT_OUT,
        Reason.BOUNCE,
        Reason.REFUSED,
        Reason.EXIT_REACHED,
        Reason.SUPPRESSED,
    }
)


@dataclass(frozen=True)
class Farewell:
    """Someone who bought or opted out, and the messages that had left by then or were leaving."""

    person: str
    left: frozenset[str]
    leaving: frozenset[str]


@dataclass(frozen=True)
class Account:
    """What is wrong, word by word, and the figures; all lists should be empty."""

    kills: int
    while_handing_over: int
    taken: int
    people: int
    duplicates: list[str]
    losses: list[str]
    after_exit: list[str]
    forgotten: list[str]
    unknown: int
    unknown_taken: int
    in_flight_at_exit: int

    @property
    def faults(self) -> list[str]:
        """Return everything that breaks a promise."""
        return [*self.duplicates, *self.losses, *self.after_exit, *self.forgotten]

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.while_handing_over} while handing over), "
            f"{self.people:,} people, {self.taken:,} messages taken: "
            f"{len(self.duplicates)} duplicates, {len(self.losses)} losses, "
            f"{self.unknown} of unknown fate listed (the server has {self.unknown_taken}), "
            f"{len(self.after_exit)} sent after an exit ({self.in_flight_at_exit} were being "
            f"handed over as it came), {len(self.forgotten)} forgotten"
        )


@dataclass(frozen=True)
class Bookkeeping:
    """Whoever draws up the account of one business."""

    alias: str
    sink: SmtpSink
    farewells: Sequence[Farewell]

    def draw_up(self, names: Sequence[str], *, kills: int, while_handing_over: int) -> Account:
        """Return the account; ``names`` are all the people who arrived."""
        tally = self.sink.tally().taken
        taken = {name.partition("@")[0]: count for name, count in tally.items() if count}
        messages = {key_of(one): one for one in History(self.alias).messages_of(JOURNEY)}
        unknown = [key for key, one in messages.items() if one.state is MessageState.UNKNOWN]
        return Account(
            kills=kills,
            while_handing_over=while_handing_over,
            taken=sum(taken.values()),
            people=len(names),
            duplicates=list(_duplicates(taken, messages)),
            losses=[*self._losses(taken, messages), *self._debts(messages.values())],
            after_exit=list(self._after_exit(taken, messages)),
            forgotten=[*self._forgotten(names), *self._short(messages.values())],
            unknown=len(unknown),
            unknown_taken=sum(key in taken for key in unknown),
            in_flight_at_exit=sum(len(one.leaving & set(taken)) for one in self.farewells),
        )

    def _losses(
        self, taken: Mapping[str, int], messages: Mapping[str, MessageEntry]
    ) -> Iterator[str]:
        listed = {one.key for one in Outbox(self.alias).stuck()}
        yield from (f"{key}: taken, but not on record" for key in set(taken) - set(messages))
        for key, one in messages.items():
            is_right = {
                MessageState.ACCEPTED: key in taken,
                MessageState.UNKNOWN: key in listed,
                MessageState.CANCELLED: key not in taken and one.reason in GOOD_REASONS,
                MessageState.FAILED: key not in taken and one.reason in GOOD_REASONS,
            }.get(one.state, False)
            if not is_right:
                word = "taken" if key in taken else "not taken"
                yield f"{one.person}, step {one.step}: {one.state} ({one.reason}), {word}"

    def _debts(self, messages: Iterable[MessageEntry]) -> Iterator[str]:
        spent = sum(one.cost_micros for one in messages if one.state not in SILENT)
        rows = Budget.objects.using(self.alias).values_list("reserved_micros", flat=True)
        if (booked := sum(rows)) != spent:
            yield f"the budget says {booked}, the messages cost {spent}"

    def _after_exit(
        self, taken: Mapping[str, int], messages: Mapping[str, MessageEntry]
    ) -> Iterator[str]:
        left = {one.person: one.left for one in self.farewells}
        for key, one in messages.items():
            if key in taken and one.person in left and key not in left[one.person]:
                yield f"{one.person}, step {one.step}: sent after the exit"

    def _forgotten(self, names: Iterable[str]) -> Iterator[str]:
        entries = {one.person: one for one in History(self.alias).enrolments_of(JOURNEY)}
        for name in names:
            if name not in entries:
                yield f"{name}: never entered"
            elif entries[name].ended_reason is None:
                yield f"{name}: still open"

    def _short(self, messages: Iterable[MessageEntry]) -> Iterator[str]:
        """Yield who finished without every step, or was held out and written to."""
        touched = Counter(one.person for one in messages)
        for one in History(self.alias).enrolments_of(JOURNEY):
            due = STEPS if one.arm is Arm.TREATMENT else 0
            is_short = one.ended_reason is Reason.FINISHED and touched[one.person] != due
            if is_short or (not due and touched[one.person]):
                yield f"{one.person}: {one.arm}, {touched[one.person]} messages"


def key_of(one: MessageEntry) -> str:
    """Return the key that a message carries wherever it goes."""
    return touch_key(one.person, one.journey, one.version, one.step, one.rotation)


def _duplicates(taken: Mapping[str, int], messages: Mapping[str, MessageEntry]) -> Iterator[str]:
    yield from (f"{key}: taken {count} times" for key, count in taken.items() if count > 1)
    steps = Counter((one.person, one.step) for key, one in messages.items() if key in taken)
    for (person, step), count in steps.items():
        if count > 1:
            yield f"{person}, step {step}: {count} messages"
