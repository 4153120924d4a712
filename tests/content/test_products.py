"""A product's words are words and its addresses are addresses, whatever a catalogue holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rekindle.content import (
    find_flaws,
    load_templates,
    sequence_templates,
    show_product,
    starter_templates,
)
from tests.content.conftest import Write

HOSTILE = "<script>alert(1)</script>{{ email }}{% for i in (1..9) %}<mj-image />"
LIST = (
    "{% for product in blocks.favourites %}"
    '<a href="{{ product.url }}">{{ product.name }}</a> {{ product.price }}{% endfor %}'
    "{% unless blocks.favourites %}nothing{% endunless %}"
)


def test_a_product_is_shown_as_words(write: Write, alice: dict[str, Any]) -> None:
    row = {"name": HOSTILE, "price": Decimal("12.5000"), "url": 'https://s.example/"><b>'}
    alice["blocks"] = {"favourites": [show_product(row, "GBP")]}
    rendered = load_templates(write(LIST)).render("letter", alice)
    assert "<script" not in rendered.html
    assert "<b>" not in rendered.html
    assert "alice@example.com" not in rendered.html
    assert "{{ email }}" in rendered.html
    assert "£12.50" in rendered.text


def test_a_price_that_fell_points_and_a_plan_are_shown_as_words(
    write: Write, alice: dict[str, Any]
) -> None:
    rows = {
        "price_drops": {"name": HOSTILE, "price": Decimal(8), "was": Decimal("12.5")},
        "your_plan": {"name": HOSTILE, "until": date(2025, 3, 1)},
        "your_points": {"name": "120", "category": HOSTILE, "on": date(2025, 2, 1)},
    }
    alice["blocks"] = {name: [show_product(row, "GBP")] for name, row in rows.items()}
    shown = "{{ one.name }} {{ one.category }} {{ one.price }} {{ one.was }} {{ one.until }} "
    loops = (f"{{% for one in blocks.{name} %}}{shown}{{% endfor %}}" for name in rows)
    templates = load_templates(write("".join(loops)))
    templates.check("letter")
    rendered = templates.render("letter", alice)
    assert "<script" not in rendered.html
    assert "alice@example.com" not in rendered.html
    for told in ("£8.00", "£12.50", "2025-03-01", "120"):
        assert told in rendered.text


def test_a_basket_is_shown_as_words(write: Write, alice: dict[str, Any]) -> None:
    row = {
        "product_id": "p1",
        "name": HOSTILE + "\r\nBcc: b@x",
        "quantity": Decimal("2.0000"),
        "price": Decimal(8),
        "was": Decimal("7.5"),
        "url": "javascript:alert(1)",
        "image": 'https://s.example/i"onload=x',
    }
    shown = show_product(row, "GBP")
    assert (shown["id"], shown["quantity"], shown["url"]) == ("p1", "2", None)
    assert show_product({"quantity": Decimal(100)}, "GBP")["quantity"] == "100"
    alice["blocks"] = {"your_basket": [shown] * 5}
    folder = write()
    sequence = sequence_templates("basket-four-steps")
    for file, text in {**starter_templates(), **sequence}.items():
        (folder / file).write_text(text, encoding="utf-8")
    templates = load_templates(folder)
    for name in ("basket-reminder", "basket-kept", "basket-promotion"):
        rendered = templates.render(name, alice)
        assert "<script" not in rendered.html
        assert "javascript:" not in rendered.html
        assert "alice@example.com" not in rendered.html
        assert rendered.text.count("£8.00 (it was £7.50 when you chose it)") == 4
        assert find_flaws(templates, name, shop_url="https://s.example") == []


def test_a_block_with_nothing_in_it_is_nothing(write: Write, alice: dict[str, Any]) -> None:
    templates = load_templates(write(LIST))
    templates.check("letter")
    assert templates.render("letter", alice).text == "nothing\n"
    given: list[dict[str, object]] = [{}, {"favourites": []}]
    for blocks in given:
        assert templates.render("letter", {**alice, "blocks": blocks}).text == "nothing\n"


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://shop.example/a?b=1&c=2", True),
        ("http://shop.example/a", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//shop.example/a", False),
        ("https://", False),
        ("https://[shop", False),
        ("https://shop.example/a b", False),
        ("https://shop.example/\n", True),
        ("https://shop.example/\u202e", False),
        ("", False),
        (None, False),
    ],
)
def test_what_is_no_web_address_is_none(url: str | None, *, is_one: bool) -> None:
    assert (show_product({"url": url}, "GBP")["url"] is not None) is is_one


def test_a_picture_without_encryption_is_none() -> None:
    assert show_product({"image": "http://shop.example/a.png"}, "GBP")["image"] is None


def test_a_name_is_one_line_and_has_an_end() -> None:
    name = show_product({"name": "a\r\nBcc: b\x00" + "x" * 10_000}, "GBP")["name"]
    assert name is not None
    assert name.startswith("a Bcc: b x")
    assert len(name) == 120


def test_the_starters_read_well_with_products_and_without(
    write: Write, alice: dict[str, Any]
) -> None:
    folder = write()
    for file, text in starter_templates().items():
        (folder / file).write_text(text, encoding="utf-8")
    templates = load_templates(folder)
    row = {"name": "Mug & spoon", "price": Decimal(3), "url": "https://s.example/m"}
    full = {**row, "image": "https://s.example/m.png"}
    for rows in ([row], [full], [row, full] * 6):
        shown = [show_product(one, "GBP") for one in rows]
        alice["blocks"] = {"favourites": shown, "new_arrivals": [], "bestsellers": shown}
        for name in ("new-arrivals", "nudge"):
            rendered = templates.render(name, alice)
            assert "Mug & spoon (https://s.example/m)\n£3.00" in rendered.text
            assert rendered.html.count("Mug &amp; spoon") == min(len(rows), 3)
            assert find_flaws(templates, name, shop_url="https://s.example") == []


def test_words_of_a_review_are_words_whatever_they_say(write: Write, alice: dict[str, Any]) -> None:
    words = "<script>alert(1)</script> {{ shop.name }} {% if 1 %}\r\nBcc: x@y" + "x" * 9_000
    row = {
        "text": words,
        "by": "<b>Zoë</b>",
        "stars": 5,
        "on": date(2026, 3, 1),
        "url": "javascript:x",
    }
    alice["blocks"] = {"people_say": [show_product(row, "GBP")]}
    source = (
        "{% for one in blocks.people_say %}{{ one.text }} {{ one.by }} {{ one.on }}{% endfor %}"
    )
    rendered = load_templates(write(source)).render("letter", alice)
    assert "<script>" not in rendered.html
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; {{ shop.name }} {% if 1 %} Bcc: x@y" in rendered.html
    )
    assert "&lt;b&gt;Zoë&lt;/b&gt; 2026-03-01" in rendered.html
    assert len(str(alice["blocks"]["people_say"][0]["text"])) == 500
    assert alice["blocks"]["people_say"][0]["url"] is None
