"""Who is one person: handles, the rules that join them, and what undoes a join."""

from rekindle.identity.normalising import former_spellings, is_plain_address, normalise_address

__all__ = ["former_spellings", "is_plain_address", "normalise_address"]
