"""A link leads through the portal to the shop's own pages, and to no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rekindle.content import ClickLinks

KEY = "0123456789abcdef" * 4
LINKS = ClickLinks(b"secret", "https://out.example/", "https://shop.example/en/", ("blog.example",))
TO = {"message": KEY, "person": "zoë|1", "channel": "email"}
OUT = "https://out.example/c/"


def token_of(url: str, links: ClickLinks = LINKS) -> str:
    led = links.wrap({"url": url}, **TO)["url"]
    return led.removeprefix(OUT) if led.startswith(OUT) else ""


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/en/",
        "https://shop.example/en/cups?a=1&b=2#c",
        "https://shop.example/de/tassen",
        "http://shop.example:8080/x",
        "https://blog.example/news",
        "https://shop.example/en/%C3%A9",
        "https://SHOP.example/x",
        "HTTPS://shop.example/x",
        "https://shop.example",
    ],
)
def test_a_link_comes_back_as_it_was(url: str) -> None:
    click = LINKS.read(token_of(url))
    assert click is not None
    assert (click.url, click.person, click.channel) == (url, "zoë|1", "email")
    assert KEY.startswith(click.message)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example\\@shop.example/",
        "https://shop.example\\@evil.example/",
        "https://user:x@shop.example/",
        "https://SHOP.example.:443@evil/",
        "javascript:alert(1)",
        "mailto:a@shop.example",
        "https://[shop.example/",
        "https://out.example/u/token",
    ],
)
def test_what_is_not_the_shops_is_left_alone(url: str) -> None:
    assert LINKS.wrap({"url": url}, **TO)["url"] == url
    assert LINKS.wrap({"html": f'<a href="{url}">x</a>'}, **TO)["html"] == f'<a href="{url}">x</a>'


def test_a_portal_on_the_shops_host_keeps_its_own_pages() -> None:
    links = replace(LINKS, portal_url="https://shop.example")
    out = "https://shop.example/u/token.signature"
    assert links.wrap({"text": f"Leave: {out}"}, **TO)["text"] == f"Leave: {out}"
    assert "/c/" in links.wrap({"text": "https://shop.example/en/"}, **TO)["text"]


@pytest.mark.parametrize("change", ["", "A", "AAAA", "é", "!", "=", "..", "a" * 20_000])
def test_a_forged_token_leads_nowhere(change: str) -> None:
    token = token_of("https://shop.example/en/")
    for forged in (change, token + change if change else "x", token[:-1], token[1:], token[:16]):
        assert LINKS.read(forged) is None
    assert replace(LINKS, secret=b"other").read(token) is None


def test_every_changed_letter_is_noticed() -> None:
    token = token_of("https://shop.example/en/cups")
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        assert LINKS.read(token[:at] + other + token[at + 1 :]) is None


def test_a_host_that_was_given_up_is_led_to_no_more() -> None:
    token = token_of("https://blog.example/news")
    click = replace(LINKS, hosts=()).read(token)
    assert click is not None
    assert click.url == ""


def test_each_part_is_written_as_it_has_to_be() -> None:
    parts = {
        "subject": "See https://shop.example/en/",
        "html": '<a class="b" href="https://shop.example/en/?a=1&amp;b=2">x</a>'
        '<img src="https://shop.example/en/a.png"><a href="{{x}}">y</a>',
        "text": "See (https://shop.example/en/x). Or https://blog.example/a, https://e.example.",
    }
    led = LINKS.wrap(parts, **TO)
    assert led["subject"] == parts["subject"]
    assert 'src="https://shop.example/en/a.png"' in led["html"]
    click = LINKS.read(led["html"].partition(OUT)[2].partition('"')[0])
    assert click is not None
    assert click.url == "https://shop.example/en/?a=1&b=2"
    assert led["text"].startswith(f"See ({OUT}")
    assert led["text"].endswith(", https://e.example.")
    assert led["text"].count(OUT) == 2


def test_a_link_to_the_shop_is_short_enough_for_an_sms() -> None:
    led = LINKS.wrap({"text": "https://shop.example/en/"}, **{**TO, "channel": "sms"})
    assert len(led["text"]) < 80


def test_without_a_shop_or_a_key_nothing_is_changed() -> None:
    parts = {"text": "https://shop.example/"}
    assert ClickLinks(b"secret", "https://out.example").wrap(parts, **TO) == parts
    assert LINKS.wrap(parts, **{**TO, "message": "test-1"}) == parts
