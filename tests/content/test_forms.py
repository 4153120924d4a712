"""One message on several channels: a file for each, and none taken for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rekindle.content import Casts, Form, load_templates
from rekindle.errors import BrokenTemplateError, TemplateError
from tests.content.conftest import Write

SMS = Form("sms", ("text",))
PUSH = Form("push", ("title", "body"))
ANY = Form("hook")


@pytest.fixture
def letter(write: Write) -> Path:
    folder = write("Hello")
    (folder / "letter.sms.txt").write_text("Hi {{ name }}, {{ shop.name }}", encoding="utf-8")
    push = "---\ntitle: For {{ name }}\nurl: {{ shop.url }}\n---\nCome & see\n"
    (folder / "letter.push.txt").write_text(push, encoding="utf-8")
    return folder


def test_each_channel_gets_its_own_words(letter: Path, alice: dict[str, Any]) -> None:
    casts = Casts(load_templates(letter))
    alice["name"] = "<Al>\nice"
    assert casts.render_for("letter", alice, SMS)["text"] == "Hi <Al>\nice, Oak & Ash"
    push = casts.render_for("letter", alice, PUSH)
    assert (push["title"], push["body"], push["url"]) == ("For <Al> ice", "Come & see", "")
    assert set(casts.render_for("letter", alice, ANY)) == {"subject", "html", "text"}


def test_a_channel_without_a_file_is_refused_with_the_file_to_add(letter: Path) -> None:
    templates = load_templates(letter)
    with pytest.raises(BrokenTemplateError, match=r"letter\.fax\.txt does not exist"):
        templates.check("letter", form=Form("fax", ("text",)))
    (letter / "only.sms.txt").write_text("Hi", encoding="utf-8")
    with pytest.raises(BrokenTemplateError, match=r"only\.mjml does not exist"):
        load_templates(letter).check("only")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Come", "letter.push.txt: the channel push asks for a title"),
        ("---\ntitle: x\n---\n \n", "letter.push.txt: it says nothing"),
        ("---\ntitel: x\n---\nCome", "line 2: 'titel' is not one of title and url"),
        ("---\ntitle: x\nCome", "line 1: the block that begins here is not closed"),
        ("---\ntitle: x\n---\n\n{{ nme }}", "line 5: unknown variable 'nme'"),
        ("---\ntitle: {{ nme }}\n---\nx", "line 2: unknown variable 'nme'"),
    ],
)
def test_a_wrong_note_is_placed(letter: Path, text: str, said: str) -> None:
    (letter / "letter.push.txt").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError) as refused:
        load_templates(letter).check("letter", form=PUSH)
    assert said in str(refused.value)
