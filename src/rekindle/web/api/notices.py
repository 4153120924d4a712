"""The route on which the biller says what became of subscriptions and payments."""

from __future__ import annotations

from http import HTTPStatus

from rekindle.errors import EventError, ForgedReportError
from rekindle.web.access import open_to_anyone
from rekindle.web.api.interfaces import Notices
from rekindle.web.api.messages import Refused, Request, Response

PATH = "/v1/notices/"


class Noticing:
    """The view of the biller's notices."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    @open_to_anyone("the biller's folder checks that the notice is signed by it")
    def take(self, request: Request) -> Response:
        """Hand a notice to the biller's folder and say whether it was new."""
        try:
            is_new = self._notices.take(request.headers, request.body)
        except ForgedReportError as error:
            raise Refused(HTTPStatus.FORBIDDEN, str(error)) from error
        except EventError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        return Response({"success": True, "new": int(is_new)})
