"""How amounts are written, and the SQL that reads them.

Signs and words of currencies, marks between thousands of every country, a minus before,
behind or as brackets, and the dash for no cents are understood in every form. A form says
what the comma and the point mean; nothing is guessed here.
"""

from __future__ import annotations

from rekindle.countries import list_currencies
from rekindle.facts.sql import literal, named

POINT, COMMA, HUNDREDTHS = "1,234.50", "1.234,50", "hundredths"
MINOR = "minor units"
AMOUNT_FORMS = {
    POINT: "a point before the cents",
    COMMA: "a comma before the cents",
    HUNDREDTHS: "cents, pence and the like, without a mark",
    MINOR: "the smallest units of the currency: cents, yen, or a dinar's thousandths",
}
BLANK = r"\s\x{00A0}\x{2007}\x{2009}\x{202F}"
# Between thousands, in France and Switzerland among others.
GAPS = BLANK + "''\u2019`\u00b4\u02bc"
MINUSES = "\u2212\u2013\u2011\ufe63\uff0d"
MARKS = r"[\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}\x{2066}-\x{2069}\x{061C}\x{FEFF}]"
CODES = (
    "AED|ARS|AUD|BGN|BHD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HRK|HUF|IDR|ILS|INR|ISK|"
    "JOD|JPY|KES|KRW|KWD|KZT|MAD|MXN|MYR|NGN|NOK|NZD|OMR|PEN|PHP|PKR|PLN|QAR|RON|RSD|RUB|SAR|SEK|"
    "SGD|THB|TND|TRY|TWD|UAH|USD|UYU|VND|ZAR"
)
DOLLARS = "USD ARS AUD BRL CAD CLP COP HKD MXN NZD SGD TWD UYU"
SIGNS = (
    (r"R\$", "BRL"),
    (r"US\$", "USD"),
    (r"NZ\$", "NZD"),
    (r"HK\$", "HKD"),
    (r"MX\$", "MXN"),
    (r"NT\$", "TWD"),
    (r"CA?\$", "CAD"),
    (r"AU?\$", "AUD"),
    (r"SG?\$", "SGD"),
    (r"\$|dollars?(?:[^a-z]|$)", DOLLARS),
    (r"€|euros?(?:[^a-z]|$)", "EUR"),
    (r"£|pounds?(?:[^a-z]|$)", "GBP EGP"),
    (r"¥", "JPY CNY"),
    (r"(?:^|[^a-z])kr(?:[^a-z]|$)", "DKK ISK NOK SEK"),
    (r"(?:^|[^a-z])s?fr(?:[^a-z]|$)", "CHF"),
    (r"(?:^|[^a-z])ft(?:[^a-z]|$)", "HUF"),
    (r"(?:^|[^a-z])le[iu](?:[^a-z]|$)", "RON"),
    *(
        (sign, code)
        for sign, code in zip(
            "₹₺₽₩₪₴฿₫₦",
            ("INR", "TRY", "RUB", "KRW", "ILS", "UAH", "THB", "VND", "NGN"),
            strict=True,
        )
    ),
    ("zł", "PLN"),
    ("kč", "CZK"),
)
"""What stands beside amounts, the longer before what is within it, and what it may mean."""
WORDS = (
    r"kr\.?|kč|zł|ft|lei|leu|rs\.?|rp\.?|rm|sfr\.?|fr\.?|tl|лв\.?|\x{0440}\x{0443}\x{0431}\.?|"
    r"\x{0440}\.|грн\.?|din\.?|s/\.?|kn|dhs?\.?|euros?|dollars?|pounds?|r(?:\s|\b)"
)
CURRENCY = rf"(?:(?:[a-z]{{0,3}}\.?\p{{Sc}}|{CODES}|{WORDS})[{BLANK}]*)"


def build_amount(text: str, form: str, parts: str = "100") -> str:
    """Return SQL for an exact amount, NULL where ``text`` (SQL) is none in its form.

    ``parts`` is SQL for how many minor units are one of the currency.
    """
    if form in (HUNDREDTHS, MINOR):
        is_quick = rf"regexp_matches({text}, '^-?\d+$')"
        digits = f"case when {is_quick} then {text} else {_plain(text, comma=False)} end"
        parts = "100" if form == HUNDREDTHS else parts
        return f"(try_cast({digits} as decimal(18, 4)) / {parts})::decimal(18, 4)"
    slow = f"try_cast({_plain(text, comma=form == COMMA)} as decimal(18, 4))"
    # Most cells are plain digits. CASE leaves the rest unlooked at, COALESCE does not.
    quick = f"try_cast({text} as decimal(18, 4))"
    is_quick = f"{quick} is not null"
    if form == COMMA:
        is_quick = rf"regexp_matches({text}, '^-?\d+(,\d+)?$')"
        quick = f"try_cast(replace({text}, ',', '.') as decimal(18, 4))"
    return f"case when {is_quick} then {quick} else {slow} end"


def minor_parts(currency: str) -> int:
    """Return how many of its smallest units one unit of a currency has: 100, 1 or 1000."""
    if currency in list_currencies(0):
        return 1
    return 1000 if currency in list_currencies(3) else 100


def build_minor_parts(currency: str, told: str) -> str:
    """Return SQL for how many smallest units are one of ``told``, which is SQL for a currency.

    ``currency`` is the workspace's, which is meant where it is NULL.
    """
    whole, thousandths = (", ".join(map(literal, list_currencies(n))) for n in (0, 3))
    return (
        f"case when {told} is null then {minor_parts(currency)} "
        f"when upper({told}) in ({whole}) then 1 when upper({told}) in ({thousandths}) then 1000 "
        "else 100 end"
    )


def build_currencies(text: str) -> str:
    """Return SQL for the codes of what an amount may be in by the code, sign or word beside it.

    They are apart by blanks, as several currencies have the sign ``$``; '' where nothing stands.
    """
    code = rf"upper(regexp_extract({text}, '(?i)(?:^|[^a-z])({CODES})(?:[^a-z]|$)', 1))"
    signs = " ".join(
        f"when regexp_matches({text}, {literal(f'(?i){sign}')}) then {literal(codes)}"
        for sign, codes in SIGNS
    )
    return f"case when {code} <> '' then {code} {signs} else '' end"


def _plain(text: str, *, comma: bool) -> str:
    """Return SQL for digits with a point, as the engine casts them, or NULL."""
    bare = f"regexp_replace({text}, '{MARKS}', '', 'g')"
    bare = f"trim(translate({bare}, '{MINUSES}', '{'-' * len(MINUSES)}'))"
    bare = rf"regexp_replace({bare}, '(?i)^([-+(]?)[{BLANK}]*{CURRENCY}', '\1')"
    bare = rf"regexp_replace({bare}, '(?i)[{BLANK}]*{CURRENCY}([-)]?)$', '\1')"
    bare = rf"regexp_replace({bare}, '([.,])[-—]{{1,2}}$', '')"
    minus = r"regexp_matches(bare, '^-|-$|^\(.*\)$')"
    digits = rf"trim(regexp_replace(bare, '^[-+]|-$|^\((.*)\)$', '\1'), {literal(' ')})"
    number = named(digits, "digits", _ungrouped("digits", comma=comma))
    signed = f"case when {minus} then '-' else '' end || {number}"
    return named(bare, "bare", signed)


def _ungrouped(digits: str, *, comma: bool) -> str:
    mark, other = (",", ".") if comma else (".", ",")
    between = rf"[{GAPS}\{other}]"
    groups = rf"^[1-9]\d{{0,2}}({between}\d{{3}})+(\{mark}\d*)?$"
    lakhs = r"^[1-9]\d?(,\d{2})*,\d{3}(\.\d*)?$"
    grouped = f"regexp_matches({digits}, {literal(groups if comma else f'{groups}|{lakhs}')})"
    ungrouped = f"regexp_replace({digits}, {literal(between)}, '', 'g')"
    plain = rf"regexp_matches({digits}, '^(\d+(\{mark}\d*)?|\{mark}\d+)$')"
    # Of two marks, the other one alone is no mark of thousands: 12.50 is refused where commas are.
    number = f"case when {grouped} then {ungrouped} when {plain} then {digits} end"
    return f"replace({number}, ',', '.')" if comma else number
