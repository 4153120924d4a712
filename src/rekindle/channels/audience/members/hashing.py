"""Writes e-mail addresses as ad systems want them before they are hashed, each by its own words.

Meta: https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences
Google: https://developers.google.com/data-manager/api/get-started/formatting
"""

from __future__ import annotations

from hashlib import sha256

# At these a dot before the @ makes no other mailbox, and Google hashes them without any.
WITHOUT_DOTS = frozenset({"gmail.com", "googlemail.com"})


def plain_member(address: str) -> str:
    """Return the hash that nearly every other ad system asks for, which is Meta's."""
    return meta_member(address)


def meta_member(address: str) -> str:
    """Return what Meta knows an address by: no space around it, in small letters, SHA-256."""
    return _hashed(address.strip().lower())


def google_member(address: str) -> str:
    """Return what Google knows an address by: no space, small letters, no dots at Gmail."""
    whole = "".join(address.split()).lower()
    local, at, domain = whole.rpartition("@")
    if domain in WITHOUT_DOTS:
        local = local.replace(".", "")
    return _hashed(f"{local}{at}{domain}")


def _hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
