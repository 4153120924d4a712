"""A wrong template is refused with its file, its line and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.content import MARKETING_VARIABLES, VARIABLES, load_templates
from rekindle.content.language import compile_part
from rekindle.errors import TemplateError
from tests.content.conftest import BODY, HEAD, Write


def refusal(folder: Path, *known: str) -> str:
    """Return what is said about the template in ``folder``, below its path."""
    with pytest.raises(TemplateError) as refused:
        load_templates(folder).check("letter", known)
    return str(refused.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("words", "name", "nearest"),
    [
        ("{{ frist_name }}", "frist_name", "first_name"),
        ("{{ shop.nmae | upcase }}", "shop.nmae", "shop.name"),
        ("{{ shop }}", "shop", "shop.name"),
        ("{% if tire == 'lapsed' %}x{% endif %}", "tire", "tier"),
        ("{% for a in top_categry %}{{ a }}{% endfor %}", "top_categry", "top_category"),
        ("{{ name | append: emial }}", "emial", "email"),
        ("{% assign x = unsubscribe_ulr %}{{ x }}", "unsubscribe_ulr", "unsubscribe_url"),
    ],
)
def test_an_unknown_name_is_placed_and_corrected(
    write: Write, words: str, name: str, nearest: str
) -> None:
    said = refusal(write(f"one\n{words}"), "tier", "top_category")
    assert said == f"letter.mjml, line 7: unknown variable '{name}'; did you mean '{nearest}'?"


def test_names_that_a_template_makes_itself_are_known(write: Write) -> None:
    words = (
        "{% assign greeting = first_name | default: 'you' %}{{ greeting.size }}"
        "{% for c in top_categories %}{{ c.name }}{{ forloop.index }}{% endfor %}"
    )
    load_templates(write(words)).check("letter", ["top_categories"])


@pytest.mark.parametrize("line", [2, 3])
def test_the_front_block_is_checked_too(write: Write, line: int) -> None:
    lines = ["---", "subject: Hello", "preheader: News", "---"]
    lines[line - 1] += " {{ nme }}"
    said = refusal(write(source="\n".join(lines) + "\n" + BODY.format("x")))
    assert said.startswith(f"letter.mjml, line {line}: unknown variable 'nme'")


def test_the_text_file_is_checked_too(write: Write) -> None:
    said = refusal(write(text="one\ntwo {{ frist_name }}"))
    assert said.startswith("letter.txt, line 2: unknown variable 'frist_name'")


def test_the_clock_is_no_variable(write: Write) -> None:
    assert "unknown variable 'now'" in refusal(write("{{ now }}"))


def test_marketing_without_a_way_out_is_refused_in_either_part(write: Write) -> None:
    both = "{{ unsubscribe_url }} {{ shop.postal_address }}"
    load_templates(write(both)).check("letter", required=MARKETING_VARIABLES)
    folder = write(both, text="{{ shop.postal_address }}")
    with pytest.raises(TemplateError, match=r"letter\.txt: .*unsubscribe_url"):
        load_templates(folder).check("letter", required=MARKETING_VARIABLES)


def test_every_documented_variable_is_known(write: Write) -> None:
    words = " ".join(f"{{{{ {name} }}}}" for name in VARIABLES)
    templates = load_templates(write(words))
    templates.check("letter")
    assert templates.variables("letter") == frozenset(VARIABLES)


def test_a_missing_template_names_the_nearest(write: Write) -> None:
    with pytest.raises(TemplateError, match=r"leter\.mjml does not exist; did you mean 'letter'"):
        load_templates(write()).check("leter")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("one\n{% if first_name %}x", "line 7: the block that begins here has no {% endif %}"),
        ("one\n{% fi %}", "line 7, column 4: there is no tag 'fi'"),
        ("one\n{{ first_name", "line 7, column 1: '{{' is not closed"),
        ("one\n{{ name | upcas }}", "line 7: unknown filter 'upcas'; did you mean 'upcase'?"),
        ("one\n<b>x", "line 7: </mj-text> closes a tag that is not open here"),
        ("one\n2 < 3", "line 7: this '<' begins no tag; write &lt;"),
        ("one\n<a href=x>y</a>", "line 7: this '<' begins no tag"),
        ("one</mj-text>\n<mj-txt>two", "line 7: unknown element <mj-txt>; did you mean 'mj-text'?"),
        ("one</mj-text>\n<mj-include path='/a' /><mj-text>", "line 7: <mj-include> is not"),
        ("{% if name %}<b>{% else %}\n<b>{% endif %}x</b>", "line 7: </mj-text> closes a tag"),
    ],
)
def test_a_template_that_does_not_parse_is_placed(write: Write, words: str, said: str) -> None:
    assert refusal(write(words)).startswith(f"letter.mjml, {said}")


def test_a_tag_that_is_never_closed_is_placed(write: Write) -> None:
    said = refusal(write(source=HEAD + "<mjml>\n<mj-body>\n<mj-section></mj-section></mj-body>"))
    assert said == "letter.mjml, line 5: <mjml> is never closed; add </mjml>"


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("", "line 1: a template begins with a block"),
        ("---\nsubject: x\n", "line 1: a template begins with a block"),
        ("---\npreheader: x\n---\n", "line 1: the block has no 'subject: …'"),
        ("---\nsubjet: x\n---\n", "line 2: 'subjet' is not one of subject and preheader"),
        ("---\nsubject x\n---\n", "line 2: 'subject x' is not one of"),
    ],
)
def test_a_wrong_front_block_is_placed(write: Write, front: str, said: str) -> None:
    assert refusal(write(source=front + BODY.format("x"))).startswith(f"letter.mjml, {said}")


@pytest.mark.parametrize("subject", ["'It: was a while'", '"It: was a while"', "It: was a while"])
def test_a_subject_is_taken_as_written(write: Write, subject: str) -> None:
    source = f"---\nsubject: {subject}\n---\n" + BODY.format("x")
    templates = load_templates(write(source=source))
    assert templates.render("letter", {}).subject == "It: was a while"


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.mjml").write_bytes(b"\xff\xfe")
    assert refusal(tmp_path).startswith("letter.mjml cannot be read as UTF-8 text")


@pytest.mark.parametrize(
    ("markup", "is_plain"),
    [
        ('<a href="{{ unsubscribe_url }}">out</a>', True),
        ('<a href="{{unsubscribe_url}}">{{- unsubscribe_url -}}</a>', True),
        ('<a href="{{ unsubscribe_url }}?x=1">out</a>', False),
        ('<img src="{{ unsubscribe_url }}" alt="" />', False),
        ("{{ unsubscribe_url | upcase }}", False),
        ("{% if unsubscribe_url == 'x' %}x{% endif %}{{ unsubscribe_url }}", False),
        ("{% if name or unsubscribe_url %}x{% endif %}{{ unsubscribe_url }}", False),
        ("{% if unsubscribe_url.size > 3 %}x{% endif %}{{ unsubscribe_url }}", False),
        ("{% if unsubscribe_url %}x{% endif %}{{ unsubscribe_url }}", True),
        ("{%- unless unsubscribe_url -%}x{% endunless %}{{ unsubscribe_url }}", True),
        ("{{ unsubscribe_url | default: 'none' }}", True),
        ("{{ unsubscribe_url | default: name }}", False),
        ("{{ unsubscribe_url | default: 'none' | upcase }}", False),
        ("{{ name | default: unsubscribe_url }}", False),
        ("{% ifchanged %}{{ unsubscribe_url }}{% endifchanged %}", False),
        ("{% capture x %}{{ unsubscribe_url }}{% endcapture %}{{ x | upcase }}", False),
        ("{{ unsubscribe_url.size }}", False),
    ],
)
def test_a_variable_that_is_only_shown_is_told_from_one_that_is_looked_at(
    write: Write, markup: str, *, is_plain: bool
) -> None:
    shown = load_templates(write(markup)).shown_plainly("letter")
    assert ("unsubscribe_url" in shown) is is_plain


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Hi {{ first_name", "line 2, column 4: '{{' is not closed"),
        ("{% if a", "'{%' is not closed"),
        ("{% if a %}x", "line 2: the block that begins here has no {% endif %}"),
        ("{% fi a %}x", "column 4: there is no tag 'fi'; did you mean 'if'?"),
        ("{% endif %}", "{% endif %} ends no block that is open here"),
        ("x {% else %}", "{% else %} stands in no block"),
        ("{% include 'x' %}", "a template reads no other"),
        ("{{ }}", "line 2: a name or a value is missing here"),
        ("{% if %}x{% endif %}", "a name or a value is missing here"),
        ("{{ first name }}", "line 2, column 10: two values stand side by side"),
        ("{{ a | append 'x' }}", "two values stand side by side"),
        ("{% if a = 'b' %}x{% endif %}", "write '=='"),
        ("{% if a && b %}x{% endif %}", "join conditions by 'and'"),
        ("{{ 'a }}", "a quote is not closed"),
        ("{{{ a }}}", "a brace too many"),
        ("{% assign x 5 %}", "{% assign name = 'value' %}"),
        ("{{ a | upcas }}", "unknown filter 'upcas'; did you mean 'upcase'?"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_in_plain_words(body: str, told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        compile_part(f"first line\n{body}", file="nudge.mjml")
    assert str(refused.value).startswith("nudge.mjml, line 2")
    assert told in str(refused.value)
    assert "expect" not in str(refused.value)
