"""Words that stand for nobody, where an export has to write something.

Data, not code: add a word here and every door knows it.
"""

from __future__ import annotations

import re

from rekindle.identity.model import Handle, HandleKind

WORDS = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        ".",
        "0",
        "?",
        "\\n",
        "#div/0!",
        "#n/a",
        "#name?",
        "#null!",
        "#nv",
        "#ref!",
        "#value!",
        "#wert!",
        "anonymous",
        "barverkauf",
        "empty",
        "gast",
        "guest",
        "laufkundschaft",
        "n.a.",
        "n/a",
        "na",
        "nan",
        "nil",
        "no",
        "nobody",
        "none",
        "null",
        "tba",
        "tbd",
        "undefined",
        "unknown",
        "unbekannt",
        "walk-in",
        "walkin",
        "x",
    }
)
"""What is written for "no value"; compared without case, after trimming."""

MAILBOXES = WORDS | {
    "customer",
    "dontreply",
    "do-not-reply",
    "donotreply",
    "email",
    "keine",
    "keineemail",
    "kunde",
    "mail",
    "no-email",
    "no-mail",
    "no-reply",
    "no.email",
    "no_email",
    "noaddress",
    "noemail",
    "nomail",
    "noreply",
    "notprovided",
    "placeholder",
    "walk-in",
    "walkin",
}
"""Local parts of addresses that a till writes when nobody gave one."""

PLACES = frozenset({"invalid", "localhost", "none", "null", "nowhere"})
"""Domains, and last labels of domains, that hold no mailbox (RFC 2606, RFC 6761)."""

NO_IDS = WORDS - {"", ".", "na", "nil", "no", "tba", "tbd", "x"}
"""What stands for no customer; a short word may be an id."""

BLANK_NAMES = WORDS - {"no", "x", "na"}
"""What stands for no name; "No", "X" and "Na" are names."""

# A country's code and then one digit over and over, or one after the other.
_ONE_DIGIT = re.compile(r"\+?\d{0,4}?(\d)\1{5,}")
_COUNTED = re.compile(r"\+?\d{0,4}?0?(1234567(89?0?)?|9876543(21?0?)?)")


def is_nobody(handle: Handle) -> bool:
    """Return whether a handle stands for nobody, though somebody wrote it down."""
    value = handle.value.casefold()
    if handle.kind is HandleKind.PHONE:
        return bool(_ONE_DIGIT.fullmatch(value) or _COUNTED.fullmatch(value))
    if handle.kind is not HandleKind.EMAIL:
        return value in WORDS
    local, at, domain = value.rpartition("@")
    if not at or not local or not domain:
        return True
    last = domain.rpartition(".")[2]
    return local.partition("+")[0] in MAILBOXES or domain in PLACES or last in PLACES
