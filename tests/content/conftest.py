"""A folder of templates that tests write into, and Alice, who is written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]

HEAD = "---\nsubject: Hello {{ first_name }}\npreheader: News\n---\n"
BODY = (
    "<mjml><mj-body><mj-section><mj-column>\n"
    "<mj-text>{}</mj-text>\n"
    "</mj-column></mj-section></mj-body></mjml>\n"
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes ``letter.mjml`` and returns its folder."""

    def write_template(
        words: str = "Hello", *, source: str | None = None, text: str | None = None
    ) -> Path:
        whole = HEAD + BODY.format(words) if source is None else source
        (tmp_path / "letter.mjml").write_text(whole, encoding="utf-8")
        if text is not None:
            (tmp_path / "letter.txt").write_text(text, encoding="utf-8")
        return tmp_path

    return write_template


@pytest.fixture
def alice() -> dict[str, object]:
    return {
        "first_name": "Alice",
        "name": "Alice Lidell",
        "email": "alice@example.com",
        "shop": {"name": "Oak & Ash", "postal_address": "1 High Street, Leeds LS1 1AA"},
        "preferences_url": "https://shop.example/p/alice",
        "unsubscribe_url": "https://portal.example.com/u/token?a=1&b=2",
    }
