"""A letter made from a mould is, to the byte, the letter that rendering makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from rekindle.content import Casts, Rendered, Templates, load_templates, starter_templates
from tests.content.conftest import Write

NAMES = [
    "Ann",
    "Zoë Marie",
    "",
    " ",
    "O'Brien",
    "<b>",
    "a & b",
    "standin",
    "José  Luis",
    "mailto:x",
]
WORDS = (
    "{% if first_name %}Dear {{ first_name }},{% endif %} you, {{ name }}, had {{ orders_count }}"
    ' orders. <a href="{{ unsubscribe_url }}">{{ unsubscribe_url }}</a> {{ shop.name }}'
    "{{ name | default: 'you' }} {% unless name %}and{% elsif first_name %}or{% endunless %}"
)


def _people() -> list[dict[str, object]]:
    return [
        {
            "first_name": name,
            "name": f"{name} {other}".strip(),
            "email": "a@example.com",
            "variant": "",
            "orders_count": count,
            "shop": {"name": "Oak & Ash", "postal_address": "1 High Street"},
            "unsubscribe_url": f"https://example.com/u/{count}{'?a=1&b=2' * (count % 2)}",
        }
        for name in NAMES
        for other in NAMES
        for count in (1, 12)
    ]


def test_every_letter_is_what_rendering_makes(write: Write) -> None:
    templates = load_templates(write(WORDS))
    casts = Casts(templates)
    for person in _people() * 3:
        assert casts.render("letter", person) == templates.render("letter", person)


class Counted:
    """Templates that count how often they render."""

    def __init__(self, templates: Templates) -> None:
        self.renderings = 0
        self._templates = templates
        self.variables, self.shown_plainly = templates.variables, templates.shown_plainly

    def render(self, name: str, context: Mapping[str, object]) -> Rendered:
        self.renderings += 1
        return self._templates.render(name, context)


@pytest.mark.parametrize("name", ["check-in", "nudge"])
def test_starter_is_rendered_a_few_times_for_many_people(name: str, tmp_path: Path) -> None:
    for file, text in starter_templates().items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    templates = Counted(load_templates(tmp_path))
    casts = Casts(cast("Templates", templates))
    for number in range(500):
        own = {"unsubscribe_url": f"https://example.com/{number}", "email": f"{number}@b.c"}
        casts.render(name, _people()[0] | own)
    assert templates.renderings == 2


def test_template_whose_casts_differ_is_rendered_for_everyone(write: Write) -> None:
    class Untruthful(Counted):
        def render(self, name: str, context: Mapping[str, object]) -> Rendered:
            rendered = super().render(name, context)
            return Rendered(rendered.subject, rendered.html.replace("standin5f", ""), "")

    templates = load_templates(write(WORDS))
    untruthful = Untruthful(templates)
    casts = Casts(cast("Templates", untruthful))
    for person in _people():
        assert casts.render("letter", person).html == templates.render("letter", person).html
    assert untruthful.renderings == len(_people()) + 1


def test_a_name_that_is_there_is_rendered_once_whatever_it_is(write: Write) -> None:
    templates = Counted(
        load_templates(write("{% if first_name %}{{ first_name }}{% endif %}{{ name }}"))
    )
    casts = Casts(cast("Templates", templates))
    for number in range(500):
        person = _people()[0] | {"first_name": f"Name{number}" if number % 2 else ""}
        casts.render("letter", person)
    assert templates.renderings == 4
