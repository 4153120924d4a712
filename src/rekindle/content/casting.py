"""Makes one rendering do for everyone whose letter differs only in words that are shown.

Rendering costs a millisecond, and most of it is spent on what is the same for all. So a
letter is rendered with stand-ins, once for each set of the values that conditions, filters
and attributes look at, and of those that are not there; then the words are put in their
places. The first few of every template are compared with the real rendering, and one that
differs is never cast again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from rekindle.content.forms import Note
from rekindle.content.model import Form, Rendered
from rekindle.content.templates import Templates
from rekindle.vocabulary import PiecedText

# Text that every step of rendering passes through as it is, like the values below.
MARK = "standin5f0c1d7b9e"
STAND_IN = re.compile(rf"({MARK}[0-9]+x)")
# Words with single spaces between them, or a web address: nothing to escape or to tidy.
SIMPLE = re.compile(r"(?:[\w.,-]+(?: [\w.,-]+)*|https?://[A-Za-z0-9:/._~-]+)")
REMEMBERED = 5_000
COMPARED = 25


@dataclass(slots=True)
class _Use:
    """What a template only shows and all it takes; how often its casts proved right."""

    shown: Collection[str]
    taken: Collection[str]
    proofs: int = 0


@dataclass(frozen=True, slots=True)
class _Mould:
    """A letter in pieces: every second one of each part is a stand-in for a value."""

    subject: Sequence[str]
    html: Sequence[str]
    text: Sequence[str]


@dataclass(slots=True)
class Casts:
    """Renders the templates of one folder, each distinct letter about once."""

    templates: Templates
    _moulds: dict[tuple[object, ...], _Mould] = field(default_factory=dict)
    _uses: dict[str, _Use] = field(default_factory=dict)

    def render_for(self, name: str, context: Mapping[str, object], form: Form) -> Mapping[str, str]:
        """Return exactly what ``Templates.render_for`` returns.

        Raises:
            TemplateError: as there.
        """
        # Nobody else has the same products, so a mould would be of use once.
        if isinstance(self.templates.find(name, form), Note) or context.get("blocks"):
            return self.templates.render_for(name, context, form)
        return self.render(name, context).parts

    def render(self, name: str, context: Mapping[str, object]) -> Rendered:
        """Return exactly what ``Templates.render`` returns.

        Raises:
            TemplateError: as there.
        """
        use = self._use(name)
        slots = _slots(use.shown, context)
        if not slots:
            return self.templates.render(name, context)
        given = (repr(context.get(one)) for one in use.taken if one not in slots)
        key = (name, *slots, *given)
        mould = self._moulds.get(key)
        return self._cast(name, context, key, slots) if mould is None else _fill(mould, slots)

    def _cast(
        self,
        name: str,
        context: Mapping[str, object],
        key: tuple[object, ...],
        slots: Mapping[str, tuple[str, str]],
    ) -> Rendered:
        """Make the mould of a letter and return the letter."""
        use = self._uses[name]
        cast = self.templates.render(name, {**context, **{v: s for v, (s, _) in slots.items()}})
        mould = _Mould(*map(_cut, (cast.subject, cast.html, cast.text)))
        letter = _fill(mould, slots)
        if use.proofs < COMPARED or _has_mark(letter):
            real = self.templates.render(name, context)
            if letter != real:
                use.shown = ()
                return real
            use.proofs += 1
        self._moulds[key] = mould
        if len(self._moulds) > REMEMBERED:
            del self._moulds[next(iter(self._moulds))]
        return letter

    def _use(self, name: str) -> _Use:
        if name not in self._uses:
            taken = {one.partition(".")[0] for one in self.templates.variables(name)}
            self._uses[name] = _Use(self.templates.shown_plainly(name), sorted(taken))
        return self._uses[name]


def _slots(shown: Collection[str], context: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return stand-in and value of each variable that one may stand in for."""
    slots = {}
    for number, variable in enumerate(shown):
        value = context.get(variable)
        if type(value) is int:
            value = str(value)
        if isinstance(value, str) and SIMPLE.fullmatch(value):
            slots[variable] = (f"{MARK}{number}x", value)
    return slots


def _cut(text: str) -> list[str]:
    """Return a text in pieces, every second of which is a stand-in."""
    return STAND_IN.split(text)


def _fill(mould: _Mould, slots: Mapping[str, tuple[str, str]]) -> Rendered:
    values = dict(slots.values())
    return Rendered(*(_filled(one, values) for one in (mould.subject, mould.html, mould.text)))


def _filled(pieces: Sequence[str], values: Mapping[str, str]) -> PiecedText:
    whole = list(pieces)
    whole[1::2] = [values[stand_in] for stand_in in pieces[1::2]]
    return PiecedText.of(whole)


def _has_mark(letter: Rendered) -> bool:
    return any(MARK in one.casefold() for one in (letter.subject, letter.html, letter.text))
