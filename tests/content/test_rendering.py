"""What a person receives: one subject line, escaped markup, and words without it."""

from __future__ import annotations

from typing import Any

import pytest

from rekindle.content import load_templates
from rekindle.errors import TemplateError
from tests.content.conftest import BODY, HEAD, Write

HOSTILE = "<script>alert('x')</script>"


def test_values_are_escaped_in_markup_and_plain_elsewhere(
    write: Write, alice: dict[str, Any]
) -> None:
    alice["first_name"] = HOSTILE
    rendered = load_templates(write("Dear {{ first_name }}")).render("letter", alice)
    assert "<script" not in rendered.html
    assert "Dear &lt;script&gt;" in rendered.html
    assert rendered.text == f"Dear {HOSTILE}\n"
    assert rendered.subject == f"Hello {HOSTILE}"


@pytest.mark.parametrize(
    "use",
    [
        "{{ encoded | url_decode }}",
        "{{ base64 | base64_decode }}",
        "{{ first_name | newline_to_br }}",
        "{{ '<br>' | append: first_name }}",
        "{{ 'x' | replace: 'x', first_name }}",
        "{% capture kept %}{{ first_name }}{% endcapture %}{{ kept | append: first_name }}",
        "{{ first_name | split: ',' | join: '<br>' }}",
    ],
)
def test_no_filter_lets_markup_through(write: Write, alice: dict[str, Any], use: str) -> None:
    alice |= {
        "first_name": HOSTILE,
        "encoded": "%3Cscript%3E",
        "base64": "PHNjcmlwdD4=",
    }
    assert "<script" not in load_templates(write(use)).render("letter", alice).html


def test_a_value_cannot_leave_its_attribute(write: Write, alice: dict[str, Any]) -> None:
    alice["first_name"] = 'x" onload="alert(1)'
    words = '</mj-text><mj-image src="https://example.com/a.png" alt="{{ first_name }}" /><mj-text>'
    rendered = load_templates(write(words)).render("letter", alice)
    assert ' onload="' not in rendered.html
    assert "&quot; onload=&quot;" in rendered.html or "&#34; onload=&#34;" in rendered.html


@pytest.mark.parametrize(
    "name",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    ],
)
def test_joined_letters_stay_joined_in_a_subject(
    write: Write, alice: dict[str, Any], name: str
) -> None:
    alice["first_name"] = name
    assert load_templates(write()).render("letter", alice).subject == f"Hello {name}"


@pytest.mark.parametrize("breaking", ["\n", "\r\n", "\x0b", "\x85", "\u2028", "\0", "\u202e"])
def test_a_subject_stays_one_line(write: Write, alice: dict[str, Any], breaking: str) -> None:
    alice["first_name"] = f"Alice{breaking}Bcc: bob@example.com"
    subject = load_templates(write()).render("letter", alice).subject
    assert subject == "Hello Alice Bcc: bob@example.com"


def test_a_text_file_is_used_where_there_is_one(write: Write, alice: dict[str, Any]) -> None:
    folder = write("in markup", text="Dear {{ name }},\nfrom {{ shop.name }}\n\n")
    assert load_templates(folder).render("letter", alice).text == (
        "Dear Alice Lidell,\nfrom Oak & Ash\n"
    )


def test_a_person_without_a_name_is_greeted_all_the_same(
    write: Write, alice: dict[str, Any]
) -> None:
    del alice["first_name"]
    words = "{{ first_name | default: 'Hello' }}{% if name %} {{ name }}{% endif %}"
    assert load_templates(write(words)).render("letter", alice).text == "Hello Alice Lidell\n"


def test_the_preheader_and_title_are_in_the_page(write: Write, alice: dict[str, Any]) -> None:
    html = load_templates(write()).render("letter", alice).html
    assert "<title>Hello Alice</title>" in html
    assert ">News</div>" in html


def test_a_head_of_its_own_keeps_what_it_says(write: Write, alice: dict[str, Any]) -> None:
    styled = BODY.replace(
        "<mj-body>", "<mj-head><mj-style>.a {{ b: c }}</mj-style></mj-head><mj-body>"
    )
    html = load_templates(write(source=HEAD + styled.format("x"))).render("letter", alice).html
    assert ".a { b: c }" in html
    assert "<title>Hello Alice</title>" in html


def test_a_loop_may_make_columns(write: Write, alice: dict[str, Any]) -> None:
    source = HEAD + (
        "<mjml><mj-body><mj-section>{% for name in names %}"
        "<mj-column><mj-text>{{ name }}</mj-text></mj-column>"
        "{% endfor %}</mj-section></mj-body></mjml>"
    )
    alice["names"] = ["Ash", "Oak"]
    html = load_templates(write(source=source)).render("letter", alice).html
    assert "mj-column-per-50" in html


def test_a_name_that_is_not_given_is_an_error_and_not_a_gap(
    write: Write, alice: dict[str, Any]
) -> None:
    templates = load_templates(write("{{ nickname }}"))
    with pytest.raises(TemplateError, match=r"letter\.mjml, line 6, column 13: .*nickname"):
        templates.render("letter", alice)
