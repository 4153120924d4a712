"""A template can neither look around nor wear out the machine."""

from __future__ import annotations

import pytest

from rekindle.content.language import MARKUP, PLAIN, compile_part, render_page
from rekindle.errors import TemplateError

DOUBLING = "{% assign x = 'aaaaaaaaaa' %}{% for i in (1..64) %}{% assign x = x | append: x %}"
SQUARING = "{% assign x = 9999999999 %}{% for i in (1..40) %}{% assign x = x | times: x %}"
TENFOLD = " | replace: 'a', 'aaaaaaaaaa'"


@pytest.mark.parametrize("sandbox", [PLAIN, MARKUP], ids=["plain", "markup"])
@pytest.mark.parametrize(
    "bomb",
    [
        "{% for i in (1..1000000000) %}{% endfor %}",
        "{% for i in (1..9000) %}{% tablerow j in (1..9000) %}{% endtablerow %}{% endfor %}",
        DOUBLING + "{% endfor %}",
        "{{ 'a'" + TENFOLD * 9 + " }}",
        "{{ (1..1000000000) | join: ',' }}",
        "{{ (1..1000000000) | sum }}",
        SQUARING + "{% endfor %}",
        "{% for i in (1..9000) %}" + "a" * 300 + "{% endfor %}",
        "{% if true %}" * 2000 + "{% endif %}" * 2000,
    ],
    ids=["loop", "rows", "doubling", "tenfold", "join", "sum", "power", "output", "nesting"],
)
def test_a_bomb_is_refused(sandbox: object, bomb: str) -> None:
    with pytest.raises(TemplateError, match="letter, line 1"):
        compile_part(bomb, file="letter", sandbox=sandbox).render({})  # type: ignore[arg-type]


def test_what_a_filter_is_given_is_bounded_too() -> None:
    words = {"long": "a" * 1001}
    with pytest.raises(TemplateError, match="1,001 characters or items; 1,000 is the most"):
        compile_part("{{ 'a' | replace: 'a', long }}", file="letter").render(words)


@pytest.mark.parametrize(
    "use",
    [
        "{{ '99999999999999999' | date: '%Y' }}",
        "{{ '/w==' | base64_decode }}",
        "{{ word | modulo: 'a' }}",
        "{{ words | sum }}",
        "{{ words | uniq: 99999999999 }}",
        "{{ nan | ceil }}",
    ],
)
def test_a_value_that_a_filter_cannot_use_is_named_with_its_place(use: str) -> None:
    values = {"word": 1.5, "words": [{"a": 1}, "NaN", "sNaN"], "nan": float("nan")}
    with pytest.raises(TemplateError, match="letter, line 2"):
        compile_part(f"\n{use}", file="letter").render(values)


@pytest.mark.parametrize("tag", ["include 'x'", "render 'x'", "extends 'x'", "layout 'x'"])
def test_no_other_file_can_be_read(tag: str) -> None:
    with pytest.raises(TemplateError, match=r"there is no tag|a template reads no other"):
        compile_part(f"{{% {tag} %}}", file="letter")


@pytest.mark.parametrize("path", ["name.__class__", "name['__class__']", "shop.__init__"])
def test_no_attribute_of_an_object_can_be_reached(path: str) -> None:
    part = compile_part(f"{{{{ {path} }}}}", file="letter")
    with pytest.raises(TemplateError, match="undefined"):
        part.render({"name": "Alice", "shop": {"name": "Oak"}})


@pytest.mark.parametrize("word", ["now", "today"])
def test_the_clock_is_out_of_reach(word: str) -> None:
    with pytest.raises(TemplateError, match="date of today is not available"):
        compile_part(f"{{{{ '{word}' | date: '%Y' }}}}", file="letter").render({})


def test_a_date_that_is_given_can_be_formatted() -> None:
    part = compile_part("{{ last_order | date: '%-d %B %Y' }}", file="letter")
    assert part.render({"last_order": "2026-03-01"}) == "1 March 2026"


def test_markup_is_trusted_in_our_own_pages_only() -> None:
    chart = {"chart": "<svg></svg>", "name": "<b>"}
    assert render_page("{{ chart | safe }}{{ name }}", chart) == "<svg></svg>&lt;b&gt;"
    with pytest.raises(TemplateError, match="unknown filter 'safe'"):
        compile_part("{{ chart | safe }}", file="letter")


def test_an_ordinary_mistake_in_a_filter_is_placed() -> None:
    part = compile_part("one\n{{ 1 | divided_by: 0 }}", file="letter")
    with pytest.raises(TemplateError, match="letter, line 2"):
        part.render({})
