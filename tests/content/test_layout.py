"""One layout frames every e-mail that is no whole document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rekindle.config import Config
from rekindle.content import MARKETING_VARIABLES, build_shop, load_templates, starter_templates
from rekindle.content.colours import contrast, ink_of, read_colour, text_on
from rekindle.errors import TemplateError

FRAME = (
    '<mjml lang="{{ language }}" dir="{{ direction }}"><mj-body>{{ content }}'
    "<mj-section><mj-column><mj-text>{{ why }}"
    " {{ shop.postal_address }} {{ unsubscribe_url }}</mj-text>"
    "</mj-column></mj-section></mj-body></mjml>"
)
LEADS_ELSEWHERE = ("confirm-consent", "stay-in-touch")
OWN = (
    "---\nsubject: Hello\n{}---\n<mj-section><mj-column>\n"
    "<mj-text>Dear {{{{ name }}}}</mj-text></mj-column></mj-section>\n"
)


def lay_out(folder: Path, *, frame: str | None = FRAME, block: str = "", own: str = OWN) -> Path:
    if frame is not None:
        (folder / "layout.mjml").write_text(frame, encoding="utf-8")
    (folder / "letter.mjml").write_text(own.format(block), encoding="utf-8")
    return folder


def test_a_template_is_framed_and_escaped_once(tmp_path: Path, alice: dict[str, Any]) -> None:
    templates = load_templates(lay_out(tmp_path, block="why: You bought <b>.\n"))
    templates.check("letter", required=MARKETING_VARIABLES)
    rendered = templates.render("letter", {**alice, "name": "<i>"})
    assert "Dear &lt;i&gt;" in rendered.html
    assert "You bought &lt;b&gt;." in rendered.html
    assert rendered.text.startswith("Dear <i>\n\nYou bought <b>. 1 High Street")


@pytest.mark.parametrize(
    ("language", "direction"), [("ar", "rtl"), ("he-IL", "rtl"), ("de", "ltr"), ("", "ltr")]
)
def test_the_language_decides_the_direction(
    tmp_path: Path, alice: dict[str, Any], language: str, direction: str
) -> None:
    block = f"language: {language}\n" if language else ""
    html = load_templates(lay_out(tmp_path, block=block)).render("letter", alice).html
    assert f'<html lang="{language or "en"}" dir="{direction}"' in html
    assert 'role="article"' in html


@pytest.mark.parametrize(
    ("frame", "own", "said"),
    [
        (None, OWN, "letter.mjml: it has no <mjml>, and there is no layout.mjml"),
        ("<mjml><mj-body></mj-body></mjml>", OWN, "layout.mjml: a layout shows {{ content }} once"),
        (FRAME + "{{ content }}", OWN, "layout.mjml: a layout shows {{ content }} once"),
        ("<mjml>\n<b>{{ content }}</mjml>", OWN, "layout.mjml, line 2: </mjml> closes"),
        (FRAME, OWN + "<b>", "letter.mjml, line 6: <b> is never closed"),
        (FRAME, OWN + "{{{{ nme }}}}", "letter.mjml, line 6: unknown variable 'nme'"),
        (
            FRAME.replace("{{ why }}", "\n{{ nme }}"),
            OWN,
            "layout.mjml, line 2: unknown variable 'nme'",
        ),
        (FRAME, OWN + "{{{{ content }}}}", "letter.mjml, line 6: unknown variable 'content'"),
        (FRAME.replace("unsubscribe_url", "email"), OWN, "letter.mjml: marketing has to show"),
    ],
)
def test_what_is_wrong_is_placed_in_its_own_file(
    tmp_path: Path, frame: str | None, own: str, said: str
) -> None:
    folder = lay_out(tmp_path, frame=frame, own=own)
    with pytest.raises(TemplateError) as refused:
        load_templates(folder).check("letter", required=MARKETING_VARIABLES)
    assert str(refused.value).removeprefix(f"{folder}/").startswith(said)


def test_no_message_asks_a_server_for_a_font(tmp_path: Path, alice: dict[str, Any]) -> None:
    html = load_templates(lay_out(tmp_path)).render("letter", alice).html
    assert "fonts.googleapis.com" not in html
    assert "@import" not in html


@pytest.mark.parametrize("url", ["https://shop.example/", ""])
def test_a_starter_leads_to_the_shop_where_one_is_set(
    tmp_path: Path, alice: dict[str, Any], url: str
) -> None:
    for name, text in starter_templates().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    templates = load_templates(tmp_path)
    config = Config.model_validate({"shop": {"url": url, "button": "Come in"}})
    for name in templates.names:
        rendered = templates.render(name, {**alice, "shop": build_shop(config, {})})
        is_led = bool(url) and name not in LEADS_ELSEWHERE
        assert ("Come in" in rendered.html) == ("Come in: https://" in rendered.text) == is_led
        assert rendered.html.count("<h1") == 1


@pytest.mark.parametrize("colour", ["#ffff00", "#1f5f5b", "#ffffff", "#000000", "#ff8800"])
def test_words_can_be_read_on_and_in_every_colour(colour: str) -> None:
    ground, white = read_colour(colour), (255, 255, 255)
    words, ink = read_colour(text_on(colour)), read_colour(ink_of(colour))
    assert ground is not None and words is not None and ink is not None  # noqa: PT018
    assert contrast(ground, words) >= 4.5
    assert contrast(ink, white) >= 4.5


def test_contrast_is_what_wcag_says() -> None:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio: 21:1 is black on white.

    #767676 on white is the lightest grey of 4.5:1 (WebAIM's contrast checker: 4.54).
    """
    assert contrast((0, 0, 0), (255, 255, 255)) == 21
    assert round(contrast((0x76, 0x76, 0x76), (255, 255, 255)), 2) == 4.54
