"""The text part says what the markup says, with every link's address."""

from __future__ import annotations

import pytest

from rekindle.content.plaintext import RULE, derive_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<mj-text>one\n   two</mj-text>", "one two"),
        ("<mj-text><p>one</p><p>two</p></mj-text>", "one\n\ntwo"),
        ("<mj-text>one<br>two<br/>three</mj-text>", "one\ntwo\nthree"),
        ("<mj-text>a &amp; b &lt;c&gt; &#39;d&#39;&nbsp;e</mj-text>", "a & b <c> 'd' e"),
        ("<mj-text><ul><li>one</li><li>two</li></ul></mj-text>", "- one\n- two"),
        ("<mj-text>one</mj-text><mj-divider /><mj-text>two</mj-text>", f"one\n\n{RULE}\n\ntwo"),
        ("<mj-table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></mj-table>", "a b\n\nc"),
        ("<mj-image src='x' alt='Our shop' />", "Our shop"),
        ("<mj-image src='x' alt='Our shop' href='https://e.com' />", "Our shop (https://e.com)"),
        ("<mj-text><!-- not said -->said</mj-text>", "said"),
        ("<mj-style>.a { b: c }</mj-style><mj-text>said</mj-text>", "said"),
    ],
)
def test_words_keep_their_shape(markup: str, text: str) -> None:
    assert derive_text(markup) == text + "\n"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<a href='https://e.com/?a=1&amp;b=2'>Look</a>", "Look (https://e.com/?a=1&b=2)"),
        ("<a href='https://e.com'>https://e.com</a>", "https://e.com"),
        ("<a href='mailto:a@e.com'>a@e.com</a>", "a@e.com"),
        ("<a name='x'>Look</a>", "Look"),
        ("<mj-button href='https://e.com'>Look</mj-button>", "Look: https://e.com"),
        ("<a href='https://e.com'><img src='x' alt='Logo'></a>", "Logo (https://e.com)"),
    ],
)
def test_links_keep_their_address(markup: str, text: str) -> None:
    assert derive_text(f"<mj-text>{markup}</mj-text>") == text + "\n"


def test_the_head_of_a_template_is_not_said() -> None:
    markup = "<mjml><mj-head><mj-title>x</mj-title></mj-head><mj-body>said</mj-body></mjml>"
    assert derive_text(markup) == "said\n"
