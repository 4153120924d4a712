"""What machines call themselves that open messages and follow links before or instead of people.

Mail scanners open links to see whether they are safe, chat programs to show a picture of
them, proxies load pictures for people who may never read. None of these is anybody's wish.
"""

from __future__ import annotations

import re

# A program that is none people read with.
_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|proofpoint|mimecast|barracuda|safelink|symantec"
    r"|fireeye|trendmicro|facebookexternalhit|whatsapp|telegram|slack|discord|skypeuri"
    r"|googleimageproxy|ggpht\.com|yahoomailproxy|headless|curl/|wget/|python|go-http-client"
    r"|java/|okhttp|libwww|httpclient|axios|node-fetch",
    re.IGNORECASE,
)
# All that Apple Mail Privacy Protection says of itself, which loads every picture.
_APPLE = "Mozilla/5.0"


def is_machine_agent(agent: str) -> bool:
    """Return whether a user agent is a machine's."""
    return _MACHINES.search(agent) is not None


def is_opening_agent(agent: str) -> bool:
    """Return whether a user agent loads pictures, be it a machine's or Apple's proxy."""
    return agent.strip() == _APPLE or is_machine_agent(agent)
