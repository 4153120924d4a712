"""Who follows a link: a person, or a machine that looks at what is behind it.

Mail scanners open links to see whether they are safe, chat programs to show a picture of
them, browsers to have them ready. None of these is anybody's wish.
"""

from __future__ import annotations

import re

from django.http import HttpRequest

# What such machines call themselves; a program that names nothing is none that people use.
MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|proofpoint|mimecast|barracuda|safelink|symantec"
    r"|fireeye|trendmicro|facebookexternalhit|whatsapp|telegram|slack|discord|skypeuri"
    r"|googleimageproxy|yahoomailproxy|headless|curl/|wget/|python|go-http-client|java/|okhttp"
    r"|libwww|httpclient|axios|node-fetch",
    re.IGNORECASE,
)
# https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header and its forerunners.
EARLY = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
EARLY_WORDS = ("prefetch", "prerender", "preview")


# All that Apple Mail Privacy Protection says of itself, which loads every picture.
APPLE = "Mozilla/5.0"


def is_opening_machine(request: HttpRequest) -> bool:
    """Return whether a picture was loaded by a machine: as ``is_machine``, or by a proxy.

    Proxies of Apple, Google and Yahoo load it for people, and also when nobody reads.
    """
    return request.headers.get("User-Agent", "").strip() == APPLE or is_machine(request)


def is_machine(request: HttpRequest) -> bool:
    """Return whether a request is a machine's: a HEAD, a scanner's, or made ahead of a click."""
    if request.method != "GET":
        return True
    for header in EARLY:
        said = request.headers.get(header, "").lower()
        if any(word in said for word in EARLY_WORDS):
            return True
    name = request.headers.get("User-Agent", "").strip()
    return not name or MACHINES.search(name) is not None
