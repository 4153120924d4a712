"""The routes on which providers report what became of messages, one an outlet."""

from __future__ import annotations

from http import HTTPStatus

from rekindle.errors import EventError, ForgedReportError
from rekindle.messages import WebhookRequest
from rekindle.web.access import open_to_anyone
from rekindle.web.api.interfaces import Reports
from rekindle.web.api.messages import Refused, Request, Response

PATH = "/v1/reports/"


class Reporting:
    """The view of one outlet's reports."""

    def __init__(self, reports: Reports, outlet: str) -> None:
        self._reports, self._outlet = reports, outlet

    @open_to_anyone("the channel checks that the report is signed by its provider")
    def take(self, request: Request) -> Response:
        """Hand a report to its channel and say how much of it was new."""
        report = WebhookRequest(
            headers=request.headers,
            body=request.body,
            received_at=self._reports.now(),
            url=request.url,
        )
        try:
            taken = self._reports.take(self._outlet, report)
            answer = self._reports.answer(self._outlet, report)
        except ForgedReportError as error:
            raise Refused(HTTPStatus.FORBIDDEN, str(error)) from error
        except EventError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        if answer is None:
            return Response({"success": True, "new": taken})
        return Response(None, headers={"Content-Type": answer.content_type}, raw=answer.body)
