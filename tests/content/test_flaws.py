"""What readers would stumble over is found before anybody is written to, with file and line."""

from __future__ import annotations

import pytest

from rekindle.content import (
    CHECKS,
    Form,
    find_flaws,
    load_templates,
    require_flawless,
    starter_templates,
)
from rekindle.errors import TemplateError
from tests.content.conftest import Write

FRONT = "---\nsubject: x\n---\n"
WHOLE = (
    '<mjml lang="en"><mj-head>{head}</mj-head><mj-body background-color="#ffffff"><mj-section>\n'
    "<mj-column><mj-text><h1>Hello</h1></mj-text>\n"
    "{words}</mj-column></mj-section></mj-body></mjml>\n"
)
URL = "https://shop.example"


def found(write: Write, words: str = "", head: str = "", source: str = WHOLE) -> list[str]:
    whole = FRONT + source.format(words=words, head=head)
    flaws = find_flaws(load_templates(write(source=whole)), "letter", shop_url=URL)
    return [f"{flaw.check.name} {flaw.line}" for flaw in flaws]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('<mj-image src="x" />', ["alt 6"]),
        ('\n<mj-text><img src="x"></mj-text>', ["alt 7"]),
        ('<mj-image src="x" alt="" />', []),
        ('<mj-image src="x" alt="A cup" href="y" />', []),
        ('<mj-image src="x" alt="" href="y" />', ["link-empty 6"]),
        ('<mj-text><a href="y"><img src="x" alt=""></a></mj-text>', ["link-empty 6"]),
        ('<mj-text><a href="y"><img src="x" alt="A cup"></a></mj-text>', []),
        ('<mj-text><a href="y">\n \n</a></mj-text>', ["link-empty 6"]),
        ('<mj-button href="y" />', ["link-empty 6"]),
        ('<mj-text><a href="">Cups</a></mj-text>', ["link-nowhere 6"]),
        ('<mj-text><a href="#">Cups</a></mj-text>', ["link-nowhere 6"]),
        ("<mj-text><a>Cups</a></mj-text>", ["link-nowhere 6"]),
        ("<mj-button>Cups</mj-button>", ["link-nowhere 6"]),
        ('<mj-text><a href="{{ shop.url }}">{{ name }}</a></mj-text>', []),
        ('<mj-text><a href="y">Click  here …</a></mj-text>', ["link-words 6"]),
        ("<mj-text><h2>a</h2><h3>b</h3><h2>c</h2><h4>d</h4></mj-text>", ["heading-order 6"]),
        ('<mj-text color="#767676">grey</mj-text>', []),
        ('<mj-text color="#777777">grey</mj-text>', ["contrast 6"]),
        ('<mj-text color="{{ shop.colour }}">x</mj-text>', []),
        ('<mj-text><p>a</p>\n<p style="color: #fff">x</p></mj-text>', ["contrast 7"]),
        ('<mj-text><p style="color:#fff;background:black">x</p></mj-text>', []),
        ('<mj-button href="y" background-color="yellow">Cups</mj-button>', ["contrast 6"]),
    ],
)
def test_a_flaw_is_placed(write: Write, words: str, said: list[str]) -> None:
    assert found(write, words) == said


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('<mj-font name="x" href="https://x" />', ["remote-font 4"]),
        ("<mj-style>@import url(https://x);</mj-style>", ["remote-font 4"]),
        ("<mj-style>@font-face { src: url(x) }</mj-style>", ["remote-font 4"]),
        ('<mj-raw><link rel="stylesheet" href="https://x"></mj-raw>', ["remote-font 4"]),
        ('<mj-attributes><mj-text color="#aaaaaa" /></mj-attributes>', ["contrast 5"]),
        ("<mj-attributes><mj-button /><mj-image /></mj-attributes>", []),
        ("<mj-style>p { color: #ffffff }</mj-style>", []),
    ],
)
def test_the_head_is_looked_at_too(write: Write, head: str, said: list[str]) -> None:
    assert found(write, head=head) == said


def test_a_class_decides_a_colour_where_the_element_does_not(write: Write) -> None:
    head = '<mj-attributes><mj-class name="pale" color="#bbbbbb" /></mj-attributes>'
    assert found(write, '<mj-text mj-class="pale">x</mj-text>', head) == ["contrast 6"]
    assert found(write, '<mj-text mj-class="pale" color="#000">x</mj-text>', head) == []


def test_a_message_without_heading_or_language_is_told(write: Write) -> None:
    source = WHOLE.replace("h1>", "p>").replace(' lang="en"', "")
    assert found(write, source=source) == ["language 4", "heading 4"]


def test_a_message_that_would_be_cut_is_refused(write: Write) -> None:
    assert found(write, "<mj-text>" + "word " * 21_000 + "</mj-text>") == ["size 4"]


def test_a_button_without_a_shop_is_told_on_each_channel(write: Write) -> None:
    folder = write("{{ shop.url }}")
    (folder / "letter.sms.txt").write_text("Hi\n{{ shop.url }}", encoding="utf-8")
    templates = load_templates(folder)
    told = [flaw for flaw in find_flaws(templates, "letter") if flaw.check.name == "shop-url"]
    assert [flaw.line for flaw in told] == [6]
    told = find_flaws(templates, "letter", Form("sms", ("text",)))
    assert [(flaw.check.name, flaw.line) for flaw in told] == [("shop-url", 2)]


def test_what_refuses_keeps_a_template_back_and_the_rest_is_said(write: Write) -> None:
    folder = write('<img src="x"><a href="y">here</a>')
    with pytest.raises(TemplateError, match=r"letter\.mjml, line 6: <img> has no alt"):
        require_flawless(load_templates(folder), "letter", shop_url=URL)
    folder = write('<a href="y">here</a>')
    flaws = require_flawless(load_templates(folder), "letter", shop_url=URL)
    assert {flaw.check.name for flaw in flaws} == {"link-words", "heading", "language"}


def test_the_starters_have_none(write: Write) -> None:
    folder = write()
    for name, text in starter_templates().items():
        (folder / name).write_text(text, encoding="utf-8")
    templates = load_templates(folder)
    names = [name.removesuffix(".mjml") for name in starter_templates() if name.endswith(".mjml")]
    for name in set(names) - {"layout"}:
        assert find_flaws(templates, name, shop_url=URL) == []
    assert all(check.meaning.endswith(".") for check in CHECKS.values())
