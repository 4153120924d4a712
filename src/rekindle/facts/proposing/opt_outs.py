"""Tells lists of people who want no mail, or get none, by the name of their file.

Mail tools keep them in files of their own, which need no column that says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rekindle.facts.contracts import CUSTOMERS, Contract
from rekindle.facts.permitting import is_told
from rekindle.facts.sources import EVERY

NO = f"{EVERY}no"
NAMES = re.compile(
    r"un-?subscri|unsub(?![a-z])|opt(ed)?[-_ ]?outs?(?![a-z])|clean(ed|ings?)(?![a-z])|bounce"
    r"|suppress|black-?list|block-?list|do[-_ ]?not[-_ ]?(mail|email|contact|send)"
    r"|(?<![a-z])dnc(?![a-z])|complain|abgemeldet|abmeldung|d[eé]sabonn|d[eé]sinscri|bajas?(?![a-z])"
    r"|disiscritt|afgemeld|uitgeschreven|invalid[-_ ]?(e-?mail|address)|non-?subscribed",
    re.IGNORECASE,
)


def is_of_opt_outs(name: str) -> bool:
    """Return whether a file of this name lists people who are not to be written to."""
    return NAMES.search(re.split(r"[\\/]", name)[-1]) is not None


def tell_consent(name: str, contract: Contract, chosen: Collection[str]) -> str:
    """Return what to say of consent in a list of customers; "" where a column tells of it."""
    if contract is not CUSTOMERS or is_told("email", chosen):
        return ""
    if is_of_opt_outs(name):
        return (
            "its name says that these people unsubscribed or cannot be reached: nobody in it is "
            "written to (email_consent = no for every row)"
        )
    return (
        "no column says who agreed to or unsubscribed from marketing: nobody gets a permission "
        "from this list, and nobody's is taken away"
    )
