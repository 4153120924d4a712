"""A setting that makes no sense is refused at start, with its place and what to write."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from rekindle.config import SourceSettings, load_extensions, parse_config, parse_span
from rekindle.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[caps]\nemail = {max = 0, per = "1 day"}', "caps.email.max"),
        ("[caps]\nper_day = 0", "caps.per_day"),
        ('[caps]\nall = {max = 1, per = "soon"}', "caps.all.per"),
        ('[workspace]\ntimezone = "Mars/Olympus"', "'Mars/Olympus' is no IANA time zone"),
        ('[quiet_hours]\nstart = "25:00"', "quiet_hours.start"),
        ('[calendar]\nblackout = ["2026-02-30"]', "'2026-02-30' is no day or span"),
        ('[calendar]\nblackout = ["2026-12-26..2026-12-24"]', "is no day or span"),
        ("[calendar]\nweekdays = []", "calendar.weekdays"),
        ('[calendar]\nweekdays = ["monday"]', "calendar.weekdays.0"),
        ('[[budgets]]\nchannel = "pigeon"\nper_month = 1', "budgets.0.channel"),
        ("[[budgets]]\nper_month = -1", "budgets.0.per_month"),
        ("[[budgets]]\nchannel = 'email'", "budgets.0.per_month"),
        ('[[worth]]\ntier = "lapsd"\nmargin = 1', "worth.0.tier"),
        ("[breaker]\ncomplaints = 2", "breaker.complaints"),
        ("[email]\nper_minute = 0", "email.per_minute"),
        ("[email]\nwarm_up = {first_day = 2026-11-01, growth = 1}", "email.warm_up.growth"),
        ('[shop]\nbasket_url = "https://s.example/cart"', "shop.basket_url"),
        ('[shop]\nbasket_url = "javascript:{basket}"', "shop.basket_url"),
        (
            '[shop]\nurl = "https://s.example/"\nbasket_url = "https://evil.example/{basket}"',
            "basket_url leads to a host that neither url nor hosts names",
        ),
        ('[shop]\nbasket_lasts = "93 days"', "shop.basket_lasts"),
        ("[quiet_hour]\nstart = '20:00'", "did you mean 'quiet_hours'?"),
    ],
)
def test_setting_that_makes_no_sense_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(text)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2026-12-25", (date(2026, 12, 25), date(2026, 12, 25))),
        ("2026-11-27..2026-11-30", (date(2026, 11, 27), date(2026, 11, 30))),
        ("12-24 .. 12-26", ((12, 24), (12, 26))),
        ("12-31..01-02", ((12, 31), (1, 2))),
        ("02-29", ((2, 29), (2, 29))),
    ],
)
def test_span_is_of_days_or_of_days_of_every_year(text: str, span: object) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("no_such_module:X", "no_such_module:X .rekindle.sources. .* No module named"),
        ("json:NOTHING", "has no attribute 'NOTHING'; mend or remove the package"),
        ("breaks_when_imported:X", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named(
    value: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "breaks_when_imported.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint(name="x", value=value, group="rekindle.sources")
    monkeypatch.setattr("rekindle.config.extensions.entry_points", lambda group: [point])
    with pytest.raises(ConfigError, match=told):
        list(load_extensions("rekindle.sources"))


def test_editors_are_offered_the_tables_there_are() -> None:
    offered = SourceSettings.model_json_schema()["properties"]["table"]["anyOf"]
    assert "order_lines" in offered[0]["enum"]
    assert offered[1] == {"type": "string", "maxLength": 200}  # a package may bring more


def rates(text: str) -> dict[str, Decimal]:
    return parse_config(f'[workspace]\ncurrency = "GBP"\n[facts.rates]\n{text}').facts.rates


def test_a_rate_is_what_was_written() -> None:
    found = rates('EUR = 0.86\nUSD = "0.7931"\nJPY = 5.3e-3\nKWD = 3')
    assert {code: str(rate) for code, rate in found.items()} == {
        "EUR": "0.86",
        "USD": "0.7931",
        "JPY": "0.0053",
        "KWD": "3",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("EUR = 0", "write more than 0"),
        ("EUR = -1", "write more than 0"),
        ("EUR = nan", "finite number"),
        ("EUR = inf", "finite number"),
        ("EUR = 1e9", "write 10000000 or less"),
        ("EUR = 1e-300", "10 decimal places"),
        ('EUR = "0,86"', "write an amount like 12.50"),
        ("EUR = [1]", "write an amount like 12.50"),
        ("EUR = true", "write an amount like 12.50"),
        ("EUR = 2026-01-01", "write an amount like 12.50"),
        ("eur = 0.86", "did you mean 'EUR'"),
        ("EURO = 0.86", "write at most 3 characters"),
        ("QQQ = 0.86", "is no currency of ISO 4217"),
        ('"" = 0.86', "is no currency of ISO 4217"),
        ('"\\u0000\\n" = 0.86', "is no currency of ISO 4217"),
        ("GBP = 1", "GBP: it is the workspace's own currency"),
    ],
)
def test_a_rate_that_is_none_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refusal:
        rates(text)
    assert "facts.rates" in str(refusal.value)
