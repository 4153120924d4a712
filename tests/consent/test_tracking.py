"""An opening is noticed by nobody who may not, and used for nothing it may not be."""

from __future__ import annotations

from datetime import date

import pytest

from rekindle.consent import OpensMode, Use, decide_use, law, read_opening, sign_opening
from rekindle.vocabulary import Channel

ON = date(2026, 11, 28)
EMAIL = Channel("email")


@pytest.mark.parametrize(
    ("mode", "agreed", "country", "use"),
    [
        (OpensMode.NEVER, True, "DE", None),
        (OpensMode.CONSENT, True, "FR", Use.DEED),
        (OpensMode.CONSENT, None, "FR", None),
        (OpensMode.CONSENT, None, "DE", None),
        (OpensMode.CONSENT, None, None, None),
        (OpensMode.CONSENT, False, "DE", None),
        (OpensMode.DELIVERABILITY, None, "FR", Use.HYGIENE),
        (OpensMode.DELIVERABILITY, True, "FR", Use.HYGIENE),
        (OpensMode.DELIVERABILITY, None, None, Use.HYGIENE),
        (OpensMode.DELIVERABILITY, False, "DE", None),
    ],
)
def test_use_follows_mode_and_word(
    mode: OpensMode, agreed: bool | None, country: str | None, use: Use | None
) -> None:
    assert decide_use(mode, agreed=agreed, country=country, channel=EMAIL, on=ON) is use


def test_where_the_law_exempts_nothing_deliverability_needs_a_yes_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = law.load_law().tracking[0].model_copy(update={"exempt": ()})
    monkeypatch.setattr("rekindle.consent.tracking.tracking_of", lambda *_: row)
    asked = {"country": "FR", "channel": EMAIL, "on": ON}
    mode = OpensMode.DELIVERABILITY
    assert decide_use(mode, agreed=None, **asked) is None  # type: ignore[arg-type]
    assert decide_use(mode, agreed=True, **asked) is Use.HYGIENE  # type: ignore[arg-type]


def test_token_says_what_was_signed_and_nothing_else() -> None:
    token = sign_opening(b"secret", "ab" * 32, "ann", "email")
    assert read_opening(b"secret", token) == ("ab" * 12, "ann", "email")
    for forged in ("", "x", f"{token}x", token[:-1], token.replace(".", "")):
        assert read_opening(b"secret", forged) is None
    assert read_opening(b"other", token) is None
