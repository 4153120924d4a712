"""One spelling for every handle, so that two ways to write a mailbox compare as equal.

``normalise_address`` is the only place that says when two e-mail addresses are one:
suppressions are hashed from what it returns, and the lake and the ledger join by it.
"""

from __future__ import annotations

import re
import unicodedata
from encodings.idna import nameprep

# Nothing that Unicode or IDNA could spell in another way.
PLAIN = re.compile(r"[!-~]+")
ACE = "xn--"
# RFC 3490 section 3.1: what IDNA takes for the dot between labels.
DOTS = re.compile("[.\u3002\uff0e\uff61]")


def normalise_address(address: str | None) -> str:
    """Return the one spelling of an e-mail address; "" for none.

    Case is folded, characters nobody sees are left out, accents are composed (NFC), and a
    domain is written in its own letters whether it came so or in ASCII (RFC 3490), without
    a dot at its end. Dots and tags of the local part stay: what they mean is the server's
    affair. A text that is no address at all gets one spelling as well.
    """
    if not address:
        return ""
    if PLAIN.fullmatch(address) and ACE not in (lower := address.lower()):
        return lower.rstrip(".")
    local, at, domain = _composed(_visible(address)).rpartition("@")
    if not at:
        return domain.rstrip(".")
    labels = [_in_letters(label) for label in DOTS.split(domain)]
    return f"{local}@{'.'.join(labels)}".rstrip(".")


def is_plain_address(address: str) -> bool:
    """Return whether an address has no other spelling than those of case."""
    return PLAIN.fullmatch(address) is not None and ACE not in address.lower()


def former_spellings(address: str | None) -> frozenset[str]:
    """Return how releases before 0.2 may have spelled this mailbox before they hashed it.

    They folded case and nothing else, so a suppression kept only as a hash may stand
    under any of these. Empty where the spelling has always been the one it is.
    """
    if not address or is_plain_address(address):
        return frozenset()
    now = normalise_address(address)
    local, _, domain = now.rpartition("@")
    spoken = ".".join(_in_ascii(label) for label in domain.split("."))
    seen = {address.strip().casefold()}
    for place in (domain, spoken):
        whole = f"{local}@{place}"
        seen |= {whole, unicodedata.normalize("NFD", whole)}
    return frozenset(seen - {now, ""})


def _visible(text: str) -> str:
    """Leave out what has no shape: format characters anywhere, blanks and controls outside."""
    shown = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    first, last = 0, len(shown)
    while first < last and _is_blank(shown[first]):
        first += 1
    while last > first and _is_blank(shown[last - 1]):
        last -= 1
    return shown[first:last]


def _is_blank(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) == "Cc"


def _composed(text: str) -> str:
    folded = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", folded)


def _in_letters(label: str) -> str:
    """Return a label of a domain in its own letters, folded as IDNA folds them."""
    if label.startswith(ACE):
        try:
            label = label.removeprefix(ACE).encode("ascii").decode("punycode")
        except UnicodeError:
            return label
    try:
        return nameprep(label)
    except UnicodeError:
        return label


def _in_ascii(label: str) -> str:
    if label.isascii():
        return label
    return ACE + label.encode("punycode").decode("ascii")
