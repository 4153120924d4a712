"""Every language says everything, and the right one is chosen."""

from __future__ import annotations

import re
from datetime import date
from string import Formatter

import pytest

from rekindle.channels import discover
from rekindle.feedback import LeaveReason
from rekindle.web.portal.languages import (
    DEFAULT,
    choose_language,
    load_texts,
    name_channel,
    say_day,
)
from rekindle.web.portal.rendering import TEMPLATES

USED = re.compile(r"\bt\.(\w+)")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_there_are_four_languages() -> None:
    assert set(load_texts()) == {"en", "de", "fr", "es"}


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    english, other = load_texts()[DEFAULT], load_texts()[language]
    assert set(other) == set(english)
    for name, text in english.items():
        assert places(other[name]) == places(text), name
        assert other[name].strip()
        is_word = name.startswith(("channel_", "day_")) or len(text) < 8
        assert is_word or other[name] != text, f"{name} is not translated"


def test_every_text_a_template_takes_is_there() -> None:
    known = load_texts()[DEFAULT]
    for template in TEMPLATES.glob("*.html"):
        missing = set(USED.findall(template.read_text(encoding="utf-8"))) - set(known)
        assert missing == set(), template.name
    assert {f"why_{one}" for one in LeaveReason} <= set(known)


@pytest.mark.parametrize(
    ("accepted", "country", "language"),
    [
        ("", None, "en"),
        ("", "AT", "de"),
        ("", "US-TX", "en"),
        ("", "Mexico", "es"),
        ("fr", "DE", "fr"),
        ("pt-BR, it", "FR", "fr"),
        ("en;q=0.1, es;q=0.8", "DE", "es"),
        ("de;q=0", "FR", "fr"),
        ("de;q=x, ;;,,", "FR", "fr"),
        ("*", None, "en"),
        ("x" * 10_000, None, "en"),
    ],
)
def test_language_is_the_browsers_then_the_countrys(
    accepted: str, country: str | None, language: str
) -> None:
    assert choose_language(accepted, country) == language


def test_a_channel_without_a_name_goes_by_its_own() -> None:
    assert name_channel(load_texts()["de"], "in_app") == "in app"


@pytest.mark.parametrize(
    ("language", "first", "last"),
    [
        ("en", "1 March 2026", "31 December 2026"),
        ("de", "1. März 2026", "31. Dezember 2026"),
        ("fr", "1er mars 2026", "31 décembre 2026"),
        ("es", "1 de marzo de 2026", "31 de diciembre de 2026"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(language: str, first: str, last: str) -> None:
    texts = load_texts()[language]
    assert say_day(texts, date(2026, 3, 1)) == first
    assert say_day(texts, date(2026, 12, 31)) == last


@pytest.mark.parametrize("language", sorted(load_texts()))
def test_no_channel_is_asked_about_by_its_name_in_the_settings(language: str) -> None:
    texts = load_texts()[language]
    assert [one for one in discover() if f"channel_{one}" not in texts] == ["task"]
