"""Makes one rendering do for everyone whose letter differs only in words that are shown.

Rendering costs a millisecond, and most of it is spent on what is the same for all. So a
letter is rendered once with stand-ins, for each set of the values that conditions, filters
and attributes look at, and then the words are put in their places. What comes of it is
compared with the real rendering before it is ever used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rekindle.content.model import Rendered
from rekindle.content.templates import Templates

# Text that every step of rendering passes through as it is, like the values below.
STAND_IN = "standin5f0c1d7b9e{}x"
# Words with single spaces between them, or a web address: nothing to escape or to tidy.
SIMPLE = re.compile(r"(?:[\w.,-]+(?: [\w.,-]+)*|https?://[A-Za-z0-9:/._~-]+)")
REMEMBERED = 5_000


@dataclass(slots=True)
class _Cast:
    """A rendering with stand-ins, once it has proved right; ``times`` it was asked for."""

    rendered: Rendered | None = None
    times: int = 0


@dataclass(slots=True)
class Casts:
    """Renders the templates of one folder, each distinct letter only once or twice."""

    templates: Templates
    _casts: dict[tuple[object, ...], _Cast] = field(default_factory=dict)
    _uses: dict[str, tuple[Collection[str], Collection[str]]] = field(default_factory=dict)

    def render(self, name: str, context: Mapping[str, object]) -> Rendered:
        """Return exactly what ``Templates.render`` returns.

        Raises:
            TemplateError: as there.
        """
        shown, looked_at = self._names(name)
        slots = _slots(shown, context)
        given = (repr(context.get(one)) for one in looked_at if one not in slots)
        key = (name, *slots, *given)
        cast = self._casts.get(key)
        if cast is None:
            cast = self._casts[key] = _Cast()
            if len(self._casts) > REMEMBERED:
                del self._casts[next(iter(self._casts))]
        cast.times += 1
        if cast.rendered is not None:
            return _fill(cast.rendered, slots)
        rendered = self.templates.render(name, context)
        # What is asked for once is most likely never asked for again.
        if cast.times == 2:
            stand_ins = {variable: stand_in for variable, (stand_in, _) in slots.items()}
            mould = self.templates.render(name, {**context, **stand_ins})
            cast.rendered = mould if _fill(mould, slots) == rendered else None
        return rendered

    def _names(self, name: str) -> tuple[Collection[str], Collection[str]]:
        """Return what a template only shows, and all it takes from its context."""
        if name not in self._uses:
            roots = {one.partition(".")[0] for one in self.templates.variables(name)}
            self._uses[name] = (self.templates.shown_plainly(name), sorted(roots))
        return self._uses[name]


def _slots(shown: Collection[str], context: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return stand-in and value of each variable that one may stand in for."""
    slots = {}
    for number, variable in enumerate(shown):
        value = context.get(variable)
        if type(value) is int:
            value = str(value)
        if isinstance(value, str) and SIMPLE.fullmatch(value):
            slots[variable] = (STAND_IN.format(number), value)
    return slots


def _fill(mould: Rendered, slots: Mapping[str, tuple[str, str]]) -> Rendered:
    subject, html, text = mould.subject, mould.html, mould.text
    for stand_in, value in slots.values():
        subject = subject.replace(stand_in, value)
        html = html.replace(stand_in, value)
        text = text.replace(stand_in, value)
    return Rendered(subject, html, text)
