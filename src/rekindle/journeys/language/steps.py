"""The steps of a journey file: read, named, and refused where nobody can get.

Journeys run forwards only: every list ends, so that whoever enters also leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from rekindle.config import known_channels
from rekindle.journeys.language.conditions import is_always, meaning, read_condition
from rekindle.journeys.language.document import Entry, Items, Scalar, Section, check_keys, refuse
from rekindle.journeys.language.keys import StepKeys
from rekindle.journeys.language.values import (
    as_list,
    as_section,
    choice,
    filled,
    named,
    need,
    optional,
)
from rekindle.journeys.language.variants import read_measure, read_variants
from rekindle.journeys.language.waits import read_wait
from rekindle.journeys.language.words import (
    KEYS,
    LADDER,
    LATER_CHANNELS,
    LOOPS,
    MAX_NESTING,
    MAX_STEPS,
    NAME_PATTERN,
    STEP_WORDS,
    TEMPLATE_PATTERN,
    WITHOUT_OFFER,
)
from rekindle.journeys.model import Branch, End, Send, Step, Way
from rekindle.offers import Wanted
from rekindle.vocabulary import Channel, is_channel

A_LIST = "begin each step with a dash, such as - wait: 5 days"


def read_steps(
    file: Section, exits: frozenset[str], *, any_channel: bool = False
) -> tuple[Step, ...]:
    """Return the steps of a file, at least one of which sends.

    With ``any_channel`` a step may send through a channel that is not installed.

    Raises:
        JourneyError: naming the line, what is wrong and what to write instead.
    """
    entry = need(file, "steps", "steps with at least one send")
    if not isinstance(entry, Items):
        refuse(entry, "'steps' is a list; begin each step with a dash")
    reader = StepReader(exits, any_channel=any_channel)
    steps = reader.read(entry) if entry.items else ()
    if not reader.has_send:
        refuse(entry, "no step sends anything; add - send: {channel: email, template: NAME}")
    return steps


class StepReader:
    """Reads lists of steps, inner ones too, and keeps what holds for all of them together."""

    def __init__(self, exits: frozenset[str], *, any_channel: bool = False) -> None:
        self.has_send = False
        self._any_channel = any_channel
        self._exits = exits
        self._keys = StepKeys()
        self._count = 0
        self._readers: Mapping[str, Callable[[Section, Entry, int], Step]] = {
            "send": self._read_send,
            "wait": self._read_wait,
            "branch": self._read_branch,
            "end": self._read_end,
        }

    def read(self, entry: Entry, *, depth: int = 0) -> tuple[Step, ...]:
        """Return the steps of a list; ``depth`` is how many branches it stands in."""
        steps: list[Step] = []
        for item in as_list(entry, A_LIST):
            if steps and _is_final(steps[-1]):
                refuse(item, "nobody gets here, for all have ended before; remove this step")
            steps.append(self._read_step(_opened(item), depth))
        return tuple(steps)

    def _read_step(self, step: Section, depth: int) -> Step:
        _refuse_loops(step)
        check_keys(step, KEYS["step"])
        self._count += 1
        if self._count > MAX_STEPS:
            refuse(step, f"a journey has up to {MAX_STEPS} steps; make two of it")
        found = [word for word in STEP_WORDS if word in step.entries]
        if not found:
            refuse(step, "a step needs 'send' or 'wait', 'branch' or 'end'")
        if len(found) > 1:
            refuse(step, "a step sends or waits, not both; begin another with a dash")
        if "when" in step.lines and found != ["send"]:
            refuse(
                step,
                "'when' stands beside 'send' only; use a branch for other steps",
                line=step.lines["when"],
            )
        return self._readers[found[0]](step, step.entries[found[0]], depth)

    def _read_send(self, step: Section, entry: Entry, depth: int) -> Send:
        send = as_section(entry)
        check_keys(send, KEYS["send"])
        is_first, self.has_send = not self.has_send, True
        channel = self._read_channel(need(send, "channel", "channel: email"))
        template = self._read_template(send, channel)
        given = send.get("id")
        if given is not None and "id" in step.lines:
            refuse(given, "the step has an 'id' already; remove one")
        return Send(
            self._key(step, given, template),
            channel,
            template,
            optional(step, "when", self._read_condition, None),
            read_variants(send),
            self._read_offer(send, is_first=is_first),
            read_measure(send),
        )

    def _read_offer(self, send: Section, *, is_first: bool) -> Wanted | None:
        wanted = _read_offer(send)
        if wanted is not None and wanted.is_ladder and is_first and not wanted.may_be_without:
            refuse(
                send.entries["offer"],
                "a ladder gives nothing before a message without an offer; let one go before, or "
                "add without_offer: send",
            )
        return wanted

    def _read_template(self, send: Section, channel: Channel) -> str:
        """Return the template, or the list that a channel of lists is to put people on."""
        known = known_channels().get(channel)
        is_list = "destination" in send.lines if known is None else known.has_destinations
        right, wrong = ("destination", "template") if is_list else ("template", "destination")
        if wrong in send.lines:
            refuse(
                send.entries[wrong],
                f"the channel {channel} has no {wrong}; write {right}: NAME",
                line=send.lines[wrong],
            )
        example = "destination: lapsed-buyers" if is_list else "template: check-in"
        for stray in ("variants", "offer", "without_offer"):
            if is_list and stray in send.lines:
                refuse(
                    send,
                    f"who is put on a list is told nothing, so there is no {stray!r}",
                    line=send.lines[stray],
                )
        return named(need(send, right, example), NAME_PATTERN if is_list else TEMPLATE_PATTERN)

    def _read_channel(self, entry: Entry) -> Channel:
        word = filled(entry)
        if self._any_channel and is_channel(word):
            return Channel(word)
        known = sorted(known_channels())
        later = [one for one in LATER_CHANNELS if one not in known]
        return Channel(choice(entry, known, later=later))

    def _read_wait(self, step: Section, entry: Entry, depth: int) -> Step:
        return read_wait(entry, self._key(step, None, "wait"), self._exits)

    def _read_end(self, step: Section, entry: Entry, depth: int) -> End:
        if not isinstance(entry, Scalar) or entry.text:
            refuse(entry, "'end' says it all; write - end")
        return End(self._key(step, None, "end"))

    def _read_branch(self, step: Section, entry: Entry, depth: int) -> Branch:
        if depth == MAX_NESTING:
            refuse(
                step, f"branches stand in each other up to {MAX_NESTING} deep; make two journeys"
            )
        key = self._key(step, None, "branch")
        ways: list[Way] = []
        earlier: dict[Hashable, str] = {}
        for item in as_list(entry, "write - when: clicked with its steps, one for each way"):
            if ways and _takes_all(ways[-1]):
                refuse(item, "nobody takes this way, for all take the one before; put that last")
            ways.append(self._read_way(as_section(item), depth + 1))
            _refuse_repeated(item, ways[-1], earlier)
        if ways[0].when is None:
            refuse(entry, "a branch needs a way with 'when'; without one, write the steps alone")
        return Branch(key, tuple(ways))

    def _read_way(self, way: Section, depth: int) -> Way:
        check_keys(way, KEYS["way"])
        otherwise = way.get("otherwise")
        if otherwise is None:
            when = self._read_condition(need(way, "when", "when: clicked, or otherwise with steps"))
            return Way(when, self.read(need(way, "steps", "steps: and a list"), depth=depth))
        for stray in ("when", "steps"):
            if stray in way.lines:
                refuse(
                    way,
                    f"{stray!r} does not stand beside 'otherwise', which holds its steps itself",
                    line=way.lines[stray],
                )
        return Way(None, self.read(otherwise, depth=depth))

    def _read_condition(self, entry: Entry) -> str:
        return read_condition(entry, self._exits)

    def _key(self, step: Section, given: Entry | None, word: str) -> str:
        given = given or step.get("id")
        return self._keys.derive(step, word) if given is None else self._keys.give(given)


def _opened(item: Entry) -> Section:
    """Return a step as keys with values; ``end`` alone is one too."""
    if isinstance(item, Scalar) and item.text == "end":
        nothing = Scalar(item.file, item.line, "")
        return Section(item.file, item.line, {"end": nothing}, {"end": item.line})
    return as_section(item)


def _refuse_loops(step: Section) -> None:
    for word in LOOPS:
        if word in step.lines:
            refuse(
                step,
                f"there is no {word!r}: a journey runs forwards only; whoever should go "
                "through it again enters again, as 'reenter' says",
                line=step.lines[word],
            )
    if "otherwise" in step.lines:
        refuse(
            step,
            "'otherwise' is the last way of a branch; put it under 'branch'",
            line=step.lines["otherwise"],
        )


def _refuse_repeated(item: Entry, way: Way, earlier: dict[Hashable, str]) -> None:
    """Refuse a way with the condition of an ``earlier`` one; else add it to them."""
    if way.when is None:
        return
    condition = meaning(way.when)
    if condition in earlier:
        refuse(
            item,
            "nobody takes this way, for a way before has the condition "
            f"{earlier[condition]!r} too; change one",
        )
    earlier[condition] = way.when


def _read_offer(send: Section) -> Wanted | None:
    """Return what a message is to bring: ``NAME``, or ``ladder NAME``."""
    entry, without = send.get("offer"), send.get("without_offer")
    if entry is None:
        if without is not None:
            refuse(without, "'without_offer' stands beside 'offer', which is missing")
        return None
    words = " ".join(filled(entry).split())
    is_ladder = words.startswith(LADDER)
    name = Scalar(entry.file, entry.line, words.removeprefix(LADDER))
    is_let_go = without is not None and choice(without, WITHOUT_OFFER) == "send"
    return Wanted(named(name, NAME_PATTERN), is_ladder, is_let_go)


def _is_final(step: Step) -> bool:
    """Return whether nobody goes on behind this step."""
    if isinstance(step, Branch):
        return _takes_all(step.ways[-1]) and all(_is_final(way.steps[-1]) for way in step.ways)
    return isinstance(step, End)


def _takes_all(way: Way) -> bool:
    return way.when is None or is_always(way.when)
