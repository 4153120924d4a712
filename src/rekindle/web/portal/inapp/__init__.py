"""The script that shows in-app messages in the shop's pages: one file, the same for everybody.

Its address names its version. What a page relies on (its data attributes, the function it
leaves behind) stays as it is under one number.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from django.http import HttpRequest, HttpResponse

from rekindle.web.access import open_to_anyone

VERSION = 1
SCRIPT = (Path(__file__).parent / "script.js").read_bytes()
SHOWING = ("GET", "HEAD")
HEADERS = {
    # Pages of the shop load it from here; a mend reaches them within an hour.
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@open_to_anyone("it is the same for everybody, and says nothing of anybody")
def script(request: HttpRequest) -> HttpResponse:
    """Return the script."""
    if request.method not in SHOWING:
        refusal = HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED)
        refusal["Allow"] = ", ".join(SHOWING)
        return refusal
    return HttpResponse(SCRIPT, content_type="text/javascript; charset=utf-8", headers=HEADERS)
