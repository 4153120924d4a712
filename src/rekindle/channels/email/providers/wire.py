"""HTTP as a message needs it: bounded answers, no redirects, and known how far a request came.

A request that was not written whole was taken by nobody, and may be sent again. One that
was, and got no answer that can be understood, is of unknown fate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from rekindle.channels.watching import WatchingAdapter
from rekindle.clock import stopwatch

LARGEST_ANSWER_BYTES = 1_048_576
PIECE = 8192
CONNECT_SECONDS = 10.0


class _BoundedAdapter(WatchingAdapter):
    """Reads an answer whole, of so many bytes and within so many seconds."""

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        _, seconds = more.get("timeout") or (CONNECT_SECONDS, CONNECT_SECONDS)
        response = super().send(request, **{**more, "stream": True})
        response._content = b"".join(_pieces(response, seconds))
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


class PatientSession(requests.Session):
    """A session that follows no redirect: a message is for one place, and no other.

    Which proxy leads there, by the environment, is found once and not for each message.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, _BoundedAdapter())
        found = self.merge_environment_settings(url, {}, None, None, None)
        self.proxies, self.verify = found["proxies"], found["verify"]
        self.trust_env = False

    def resolve_redirects(self, *given: Any, **more: Any) -> Iterator[requests.Response]:
        """Yield nothing: the answer that redirects is the answer."""
        return iter(())


def _pieces(response: requests.Response, seconds: float) -> Iterator[bytes]:
    elapsed, size = stopwatch(), 0
    try:
        while piece := response.raw.read1(PIECE, decode_content=True):
            size += len(piece)
            if size > LARGEST_ANSWER_BYTES or elapsed() > seconds:
                response.raw.close()
                raise requests.ConnectionError("an answer that is too long, or too slow")
            yield piece
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    finally:
        response.raw.release_conn()
