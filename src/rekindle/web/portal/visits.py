"""Who follows a link: a person, or a machine that looks at what is behind it.

Browsers have links ready before anybody follows them; what machines call themselves is told
in ``rekindle.messages``. Neither is anybody's wish.
"""

from __future__ import annotations

from django.http import HttpRequest

from rekindle.messages import is_machine_agent, is_opening_agent

# https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header and its forerunners.
EARLY = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
EARLY_WORDS = ("prefetch", "prerender", "preview")


def is_opening_machine(request: HttpRequest) -> bool:
    """Return whether a picture was loaded by a machine: as ``is_machine``, or by a proxy.

    Proxies of Apple, Google and Yahoo load it for people, and also when nobody reads.
    """
    return is_opening_agent(request.headers.get("User-Agent", "")) or is_machine(request)


def is_machine(request: HttpRequest) -> bool:
    """Return whether a request is a machine's: a HEAD, a scanner's, or made ahead of a click."""
    if request.method != "GET":
        return True
    for header in EARLY:
        said = request.headers.get(header, "").lower()
        if any(word in said for word in EARLY_WORDS):
            return True
    name = request.headers.get("User-Agent", "").strip()
    return not name or is_machine_agent(name)
