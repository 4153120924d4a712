"""The variants of a message: their names, what each changes, and what tells them apart."""

from __future__ import annotations

from rekindle.journeys.language.document import Entry, Scalar, Section, check_keys, refuse
from rekindle.journeys.language.values import (
    as_list,
    as_section,
    choice,
    filled,
    named,
    need,
    optional,
    share,
)
from rekindle.journeys.language.words import (
    KEYS,
    MAX_SUBJECT,
    MAX_VARIANTS,
    MIN_SHARE,
    NAME_PATTERN,
    TEMPLATE_PATTERN,
)
from rekindle.journeys.model import Measure, Variant
from rekindle.wording import CONTROLS

A_FEW = "name at least two variants, such as [warm, brief]"
OPENS = ("opened", "opens", "open", "open_rate")
_ROUNDING = 1e-9


def read_variants(send: Section) -> tuple[Variant, ...]:
    """Return the variants of a message; none where the file names none.

    Raises:
        JourneyError: fewer than two, two of one name, shares that are not a whole, or a
            measure without variants.
    """
    entry = send.get("variants")
    if entry is None:
        if (measure := send.get("measure")) is not None:
            refuse(measure, "'measure' compares variants, which are missing; add variants: [a, b]")
        return ()
    listed = as_list(entry, A_FEW)
    read = [_read_variant(item) for item in listed.items]
    if not 2 <= len(read) <= MAX_VARIANTS:
        refuse(entry, f"a send has 2 to {MAX_VARIANTS} variants, not {len(read)}")
    names = [one.name for one, _ in read]
    for place, name in enumerate(names):
        if name in names[:place]:
            refuse(listed.items[place], f"the variant {name!r} stands here twice; remove one")
    return _weighed(entry, read)


def read_measure(send: Section) -> Measure:
    """Return what tells the variants apart; who came back where the file does not say."""
    return optional(send, "measure", _read_measure, Measure.RETURNED)


def _read_measure(entry: Entry) -> Measure:
    word = filled(entry)
    if word in OPENS:
        refuse(
            entry,
            f"{word!r} is no measure: mail programs and scanners open messages by themselves, so "
            f"opens say nothing about people; write one of {', '.join(Measure)}",
        )
    return Measure(choice(entry, tuple(Measure)))


def _read_variant(item: Entry) -> tuple[Variant, float | None]:
    """Return a variant and the share that it is written with, None for none."""
    if isinstance(item, Scalar):
        return Variant(named(item, NAME_PATTERN)), None
    keys = as_section(item)
    check_keys(keys, KEYS["variant"])
    variant = Variant(
        named(need(keys, "name", "name: warm"), NAME_PATTERN),
        subject=optional(keys, "subject", _read_subject, ""),
        template=optional(keys, "template", lambda entry: named(entry, TEMPLATE_PATTERN), ""),
    )
    return variant, optional(keys, "share", _read_share, None)


def _read_subject(entry: Entry) -> str:
    text = filled(entry)
    if len(text) > MAX_SUBJECT or CONTROLS.search(text):
        refuse(entry, f"a subject is one line of up to {MAX_SUBJECT} characters")
    return text


def _read_share(entry: Entry) -> float:
    found = share(filled(entry))
    if not MIN_SHARE <= found < 1:
        refuse(entry, f"write a share from {MIN_SHARE:.0%} to below 100%, such as 30% or 0.3")
    return found


def _weighed(entry: Entry, read: list[tuple[Variant, float | None]]) -> tuple[Variant, ...]:
    """Return the variants with their weights: what no share takes is the others' alike."""
    given = [one for _, one in read if one is not None]
    if not given:
        return tuple(variant for variant, _ in read)
    rest, without = 1 - sum(given), len(read) - len(given)
    if without and rest / without < MIN_SHARE - _ROUNDING:
        refuse(entry, "these shares leave nothing for the variants without one")
    if not without and abs(rest) > _ROUNDING:
        refuse(entry, f"the shares of all variants make {sum(given):.0%}, not 100%")
    return tuple(
        Variant(
            one.name,
            rest / without if part is None else part,
            one.subject,
            one.template,
        )
        for one, part in read
    )
