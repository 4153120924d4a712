"""Hands words to where the team reads them, by the URLs of apprise.

A URL holds keys, so it comes from the environment and is neither logged nor shown.
"""

from __future__ import annotations

import logging
import threading
from importlib.util import find_spec

from rekindle.config import load_secret
from rekindle.errors import ConfigError

URLS = "REKINDLE_ALERT_URLS"

logger = logging.getLogger(__name__)


def read_alert_urls() -> list[str]:
    """Return the URLs of the environment, by blanks or lines apart.

    Raises:
        ConfigError: they cannot be read.
    """
    return (load_secret(URLS) or "").split()


def tell_team(urls: list[str], title: str, words: str) -> bool:
    """Tell it at every URL and return whether all of them took it; this may take a while.

    Raises:
        ConfigError: a URL is none that apprise knows, or apprise is not there.
    """
    if find_spec("apprise") is None:
        raise ConfigError("alerts need apprise; pip install 'rekindle[alerts]'")
    from apprise import Apprise, NotifyFormat

    # What it logs shows the URLs, with their keys.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    team = Apprise()
    for number, url in enumerate(urls, 1):
        if not team.add(url):
            raise ConfigError(
                f"the {number}. URL of {URLS} is none that apprise knows; "
                "see https://github.com/caronc/apprise/wiki"
            )
    return bool(team.notify(title=title, body=words, body_format=NotifyFormat.TEXT))


class Telling:
    """One message on its way, in a thread of its own: who hangs holds nobody."""

    def __init__(self, urls: list[str], title: str, words: str) -> None:
        self._given = (urls, title, words)
        self._is_taken = False
        self._thread = threading.Thread(target=self._tell, daemon=True, name="alerts")
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Return whether it came to an end by then, one way or the other."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def is_taken(self) -> bool:
        """Return whether every server took it."""
        return self._is_taken

    def _tell(self) -> None:
        try:
            self._is_taken = tell_team(*self._given)
            if not self._is_taken:
                logger.error("alerts: a server of %s did not take them; tried again", URLS)
        except ConfigError as error:
            logger.error("alerts: %s", error)
        except Exception as error:  # its words may hold the URL
            logger.error("alerts: %s; tried again", type(error).__name__)
