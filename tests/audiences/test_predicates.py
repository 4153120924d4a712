"""What a predicate may say, and what it is told when it may not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rekindle.audiences import parse_predicate
from rekindle.errors import PredicateError


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("tier = 'lapsed' and lifetime_value > 500", {"tier", "lifetime_value"}),
        ("TIER IN ('lapsed', 'dormant') or not has_email", {"tier", "has_email"}),
        ("last_order_on < current_date - interval 30 days", {"last_order_on"}),
        ("last_order_on between '2010-01-01' and date '2010-12-31'", {"last_order_on"}),
        ("first_order_at >= '2010-01-01T00:00:00+00:00'", {"first_order_at"}),
        ("gross_value - refund_value > 2 * average_order_value", None),
        ("lower(country) like 'united%' and country is not null", {"country"}),
        ("coalesce(top_category, 'none') <> 'shoes'", {"top_category"}),
        ("abs(-silence_days) / 7 >= 4", {"silence_days"}),
        ("true", set()),
    ],
)
def test_the_language_says_what_a_marketer_asks(text: str, columns: set[str] | None) -> None:
    predicate = parse_predicate(text)
    assert columns is None or predicate.columns == columns


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("lifetime_valu > 5", "did you mean 'lifetime_value'?"),
        ("tier = 'lapst'", "did you mean 'lapsed'?"),
        ("value_band in ('top')", "it is high, low, middle"),
        ("lifetime_value > 'a lot'", "different types"),
        ("last_order_on > 'yesterday'", "write '2024-05-31'"),
        ("last_order_on > date '2010-13-01'", "is no date"),
        ("tier", "compare it"),
        ("orders_count and has_email", "compare it"),
        ("", "is empty"),
        ("tier = 'lapsed' and", "not a condition"),
        ("p.tier = 'lapsed'", "without 'p'"),
        ("orders_count like '2%'", "different types"),
        ("tier + 1 = 2", "only numbers"),
        ("last_order_on - interval 2 months < current_date", "interval in days"),
        ("last_order_on > current_date - interval '²' day", "interval in days"),
        ("last_order_on > current_date - interval 99999999999 days", "at most 36,500 days"),
        ("last_order_at > last_order_on", "ends in _on"),
        ("orders_count > " + "9" * 60, "too large"),
        ("orders_count > 1e400", "too large"),
        ("country < 'b'", "orders texts"),
        ("tier between 'a' and 'b'", "orders texts"),
        ("tier is true", "is a text"),
        ("tier = null", "write IS NULL"),
        ("country like 'a\\%'", "backslash"),
    ],
)
def test_a_mistake_is_answered_with_what_would_work(text: str, part: str) -> None:
    with pytest.raises(PredicateError, match=part.replace("?", r"\?").replace("(", r"\(")):
        parse_predicate(text)


@pytest.mark.parametrize(
    "text",
    [
        "1=1; drop table orders",
        "1=1) or (1=1",
        "exists (select 1)",
        "tier in (select tier from orders)",
        "(select 1) = 1",
        "tier = 'x' union select 1",
        "true order by 1",
        "true limit 1",
        "pg_sleep(10) = 1",
        "read_csv('/etc/passwd') = 1",
        "lifetime_value::text = '1'",
        "tier = $1",
        "tier = (case when true then 'lapsed' end)",
        "count(*) > 1",
        "sum(orders_count) over () > 1",
        "customer_id = current_user",
        "getenv('HOME') = 'x'",
        "try_cast('2010-01-01' as date) < last_order_on",
        "trim(both 'D' from country) = 'E'",
        "ltrim(country) = 'DE'",
        "country like 'a' escape '!'",
        "country ilike any ('d%')",
        "tier = e'lapsed'",
        "country = '\x00'",
        "country = '\ud800'",
    ],
)
def test_nothing_but_a_condition_gets_through(text: str) -> None:
    with pytest.raises(PredicateError):
        parse_predicate(text)


def test_a_predicate_has_its_limits() -> None:
    with pytest.raises(PredicateError, match=r"nested|not a condition"):
        parse_predicate("(" * 500 + "has_email" + ")" * 500)
    with pytest.raises(PredicateError, match="characters"):
        parse_predicate(" or ".join(["has_email"] * 1_000))


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
@example("'")
@example("tier = '\x00'")
@example("interval")
@example("date")
def test_any_text_is_taken_or_refused_but_never_breaks(text: str) -> None:
    with suppress(PredicateError):
        parse_predicate(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tier = lapsed", "texts stand in straight quotes: tier = 'lapsed'"),
        ("tier = LAPST", "tier = 'lapsed'"),
        ('tier = "lapsed"', "tier = 'lapsed'"),
        ("tier in (lapsed, dormant)", "tier = 'lapsed'"),
        ("tier = \N{LEFT SINGLE QUOTATION MARK}lapsed\N{RIGHT SINGLE QUOTATION MARK}", "'lapsed'"),
        ("country = GB", "country = 'GB'"),
        ("lapsed", "'lapsed' is no condition; write tier = 'lapsed'"),
        ("lifetime_value > €500", "write amounts as plain numbers"),
        ("lifetime_value > 1,000", "write numbers without separators"),
        ("orders_count => 3", "near '=>' (character 15); write >= or <="),
        ("silence_days > 3 days", "silence_days > 30"),
        ("tier = 'lapsed' and", "something is missing at its end"),
        ("tier = 'lapsed", "a quote is not closed"),
        ("(tier = 'lapsed'", "a bracket is not closed"),
        ("orders_count > 2 && has_email", "joined by and, or and not"),
        ("nonsense = 3", "unknown column 'nonsense'; there are customer_id, tier"),
    ],
)
def test_a_slip_is_answered_by_what_to_write(text: str, told: str) -> None:
    with pytest.raises(PredicateError) as refused:
        parse_predicate(text)
    assert told in str(refused.value)
    assert "docs/" not in str(refused.value)
