"""What each provider answers, by its own documentation, and how to write to it in tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rekindle.channels.email.providers.outlet import ProviderOutlet
from rekindle.channels.email.providers.table import PROVIDERS, Provider
from rekindle.channels.email.settings import EmailSettings
from rekindle.errors import (
    DeliveryError,
    MalformedAddressError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from tests.servers.recording import Answer, RecordingServer

BY_NAME: Mapping[str, Provider] = {one.name: one for one in PROVIDERS}
TO = "ann@example.com"

# The answer to a message that was taken, and the name by which it is taken.
TAKEN: Mapping[str, tuple[Answer, str]] = {
    "amazon_ses": (Answer(200, {"MessageId": "m1"}), "m1"),
    "brevo": (Answer(201, {"messageId": "<m1@relay.example>"}), "<m1@relay.example>"),
    "mailersend": (Answer(202, "", {"Content-Type": "text/html", "X-Message-Id": "m1"}), "m1"),
    "mailgun": (Answer(200, {"id": "<m1@example.com>", "message": "Queued. Thank you."}),
                "<m1@example.com>"),
    "mailjet": (Answer(200, {"Messages": [{"Status": "success", "To": [
        {"Email": TO, "MessageUUID": "u1", "MessageID": 456, "MessageHref": "h"}]}]}), "456"),
    "mailtrap": (Answer(200, {"success": True, "message_ids": ["m1"]}), "m1"),
    "mandrill": (Answer(200, [{"email": TO, "status": "sent", "_id": "m1",
                               "reject_reason": None}]), "m1"),
    "postal": (Answer(200, {"status": "success", "time": 0.1, "flags": {}, "data": {
        "message_id": "x", "messages": {TO: {"id": 7, "token": "t"}}}}), "7"),
    "postmark": (Answer(200, {"To": TO, "SubmittedAt": "2026-05-04T09:00:00Z",
                              "MessageID": "m1", "ErrorCode": 0, "Message": "OK"}), "m1"),
    "resend": (Answer(200, {"id": "m1"}), "m1"),
    "scaleway": (Answer(200, {"emails": [{"id": "m1", "mail_rcpt": TO, "status": "new"}]}), "m1"),
    "sendgrid": (Answer(202, ""), ""),
    "sparkpost": (Answer(200, {"results": {"total_rejected_recipients": 0,
                                           "total_accepted_recipients": 1, "id": "m1"}}), "m1"),
    "unisender_go": (Answer(200, {"status": "success", "job_id": "j1", "emails": [TO],
                                  "failed_emails": {}}), ""),
}  # fmt: skip

OURS, BOUNCE, NO_ADDRESS = OutletFaultError, PermanentDeliveryError, MalformedAddressError
REFUSED, LATER, UNKNOWN = RefusedContentError, TemporaryDeliveryError, UnknownFateError

# Answers that mean something else with each provider: who, the answer, what it is.
ANSWERS: tuple[tuple[str, int, Any, type[DeliveryError]], ...] = (
    ("amazon_ses", 400, {"message": "Email address is not verified. The following identities "
                         "failed the check in region EU-WEST-1: shop@example.com"}, OURS),
    ("amazon_ses", 400, {"message": "Sending paused for this account."}, OURS),
    ("amazon_ses", 404, {"message": "Configuration set <x> does not exist."}, OURS),
    ("amazon_ses", 403, {"message": "The security token included in the request is invalid."},
     OURS),
    ("amazon_ses", 429, {"message": "Maximum sending rate exceeded."}, LATER),
    ("amazon_ses", 400, {"message": "Daily message quota exceeded."}, LATER),
    ("amazon_ses", 400, {"message": "Domain contains control or whitespace"}, NO_ADDRESS),
    ("amazon_ses", 400, {"message": "Message length is more than 41943040 bytes long"}, REFUSED),
    ("amazon_ses", 200, {"message": "ok"}, UNKNOWN),
    ("brevo", 400, {"code": "invalid_parameter", "message": "email is not valid in to"},
     NO_ADDRESS),
    ("brevo", 400, {"code": "invalid_parameter", "message": "Sending has been rejected because the "
                    "sender you used shop@example.com is not valid. Validate your sender"}, OURS),
    ("brevo", 402, {"code": "not_enough_credits", "message": "Not enough credits"}, OURS),
    ("brevo", 400, {"code": "missing_parameter", "message": "subject is missing"}, REFUSED),
    ("mailersend", 422, {"message": "The from.email domain must be verified in your account to "
                         "send emails. #MS42207"}, OURS),
    ("mailersend", 422, {"message": "The to.0.email must be a valid email address.",
                         "errors": {"to.0.email": ["The to.0.email is not a valid address."]}},
     NO_ADDRESS),
    ("mailersend", 202, {"warnings": [{"type": "ALL_SUPPRESSED", "recipients": [
        {"email": TO, "name": "Ann", "reason": ["hard_bounced"]}]}]}, BOUNCE),
    ("mailgun", 400, {"message": "'to' parameter is not a valid address. please check "
                      "documentation"}, NO_ADDRESS),
    ("mailgun", 401, "Forbidden", OURS),
    ("mailgun", 403, {"message": "Domain example.com is not allowed to send: The domain is "
                      "unverified and requires DNS configuration."}, OURS),
    ("mailgun", 404, {"message": "Domain not found: example.com"}, OURS),
    ("mailgun", 200, "Mailgun Magnificent API", UNKNOWN),
    ("mailjet", 400, {"Messages": [{"Status": "error", "Errors": [
        {"ErrorIdentifier": "f9", "ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage":
         '"passenger" is an invalid email address.', "ErrorRelatedTo": ["To[0].Email"]}]}]},
     NO_ADDRESS),
    ("mailjet", 400, {"Messages": [{"Status": "error", "Errors": [
        {"ErrorCode": "send-0008", "StatusCode": 403, "ErrorMessage": '"shop@example.com" is not '
         "an authorized sender email address for your account."}]}]}, OURS),
    ("mailjet", 401, {"ErrorMessage": "API key authentication/authorization failure."}, OURS),
    ("mailtrap", 401, {"error": "Unauthorized"}, OURS),
    ("mailtrap", 200, {"success": False, "errors": ["Sending from domain example.com is not "
                                                    "allowed"]}, OURS),
    ("mailtrap", 400, {"success": False, "errors": ["'to' address is invalid"]}, NO_ADDRESS),
    ("mandrill", 500, {"status": "error", "code": -1, "name": "Invalid_Key", "message":
                       "Invalid API key"}, OURS),
    ("mandrill", 500, {"status": "error", "code": -99, "name": "PaymentRequired"}, OURS),
    ("mandrill", 500, {"status": "error", "code": -2, "name": "ValidationError"}, REFUSED),
    ("mandrill", 500, {"status": "error", "code": -99, "name": "GeneralError"}, LATER),
    ("mandrill", 200, [{"email": TO, "status": "rejected", "reject_reason": "hard-bounce"}],
     BOUNCE),
    ("mandrill", 200, [{"email": TO, "status": "rejected", "reject_reason": "soft-bounce"}],
     REFUSED),
    ("mandrill", 200, [{"email": TO, "status": "rejected", "reject_reason": "unsigned"}], OURS),
    ("mandrill", 200, [{"email": TO, "status": "invalid"}], NO_ADDRESS),
    ("postal", 200, {"status": "error", "data": {"code": "InvalidServerAPIKey", "message": "x"}},
     OURS),
    ("postal", 200, {"status": "error", "data": {"code": "UnauthenticatedFromAddress"}}, OURS),
    ("postal", 200, {"status": "error", "data": {"code": "NoContent", "message": "x"}}, REFUSED),
    ("postal", 200, {"status": "parameter-error", "data": {}}, OURS),
    ("postmark", 422, {"ErrorCode": 400, "Message": "The 'From' address you supplied is not a "
                       "Sender Signature on your account."}, OURS),
    ("postmark", 422, {"ErrorCode": 405, "Message": "Not allowed to send: you ran out of credits"},
     OURS),
    ("postmark", 422, {"ErrorCode": 412, "Message": "Your account is pending approval."}, OURS),
    ("postmark", 422, {"ErrorCode": 406, "Message": "You tried to send to a recipient that has "
                       f"been marked as inactive.\nFound inactive addresses: {TO}.\nInactive "
                       "recipients are ones that have generated a hard bounce."}, BOUNCE),
    ("postmark", 422, {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{TO}'."}, NO_ADDRESS),
    ("postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'x@y'."}, OURS),
    ("postmark", 200, {"ErrorCode": 100, "Message": "Maintenance"}, LATER),
    ("resend", 401, {"name": "missing_api_key", "message": "Missing API Key"}, OURS),
    ("resend", 422, {"name": "invalid_from_address", "message": "x"}, OURS),
    ("resend", 403, {"name": "validation_error", "message": "The shop.example domain is not "
                     "verified."}, OURS),
    ("resend", 422, {"name": "validation_error", "message": "Invalid `to` field. The email address "
                     "needs to follow the format."}, NO_ADDRESS),
    ("resend", 429, {"name": "rate_limit_exceeded", "message": "Too many requests."}, LATER),
    ("resend", 429, {"name": "daily_quota_exceeded", "message": "x"}, LATER),
    ("resend", 429, {"name": "monthly_quota_exceeded", "message": "x"}, OURS),
    ("resend", 409, {"name": "concurrent_idempotent_requests", "message": "x"}, LATER),
    ("resend", 409, {"name": "invalid_idempotent_request", "message": "x"}, UNKNOWN),
    ("scaleway", 403, {"type": "permissions_denied"}, OURS),
    ("scaleway", 400, {"type": "invalid_arguments", "details": [
        {"argument_name": "from.email", "reason": "constraint", "help_message": "domain "
         "example.com is not registered"}]}, OURS),
    ("sendgrid", 403, {"errors": [{"message": "The from address does not match a verified Sender "
                                   "Identity.", "field": "from"}]}, OURS),
    ("sendgrid", 400, {"errors": [{"message": "Does not contain a valid address.",
                                   "field": "personalizations.0.to.0.email"}]}, NO_ADDRESS),
    ("sparkpost", 400, {"errors": [{"message": "Invalid domain", "description": "Unconfigured "
                                    "Sending Domain <example.com>", "code": "7001"}]}, OURS),
    ("sparkpost", 420, {"errors": [{"message": "Exceed Sending Limit (hourly)"}]}, LATER),
    ("sparkpost", 200, {"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0,
                                    "id": "m1"}}, BOUNCE),
    # Words that a shop might write in a subject, and a provider repeat, stop nothing.
    ("mailgun", 400, {"message": "the subject 'Your payment plan from us: not valid long' is odd"},
     REFUSED),
    ("resend", 422, {"message": "html of the domain we love, and an account of it, is missing"},
     REFUSED),
    ("unisender_go", 200, {"status": "success", "job_id": "j", "emails": [],
                           "failed_emails": {TO: "permanent_unavailable"}}, BOUNCE),
    ("unisender_go", 200, {"status": "success", "job_id": "j", "emails": [],
                           "failed_emails": {TO: "temporary_unavailable"}}, LATER),
)  # fmt: skip


def secrets_of(provider: Provider) -> dict[str, str]:
    """Return the secrets of a provider as the environment would hold them."""
    return {provider.secret(one): f"secret-{one}-{provider.name}" for one in provider.credentials}


def settings_of(provider: Provider, server: RecordingServer) -> EmailSettings:
    """Return settings by which a provider is spoken to on this machine."""
    section = {"api_url": server.url, "project_id": "p1", "region": "eu-west-1"}
    known = {key: value for key, value in section.items() if key in provider.options}
    given: Any = {"outlet": provider.outlet, provider.name: known, "http": {"timeout_seconds": 1}}
    return EmailSettings(**given)


def outlet_of(provider: Provider, server: RecordingServer) -> ProviderOutlet:
    """Return an outlet that writes to the server instead of a provider."""
    return ProviderOutlet(provider, settings_of(provider, server), secrets_of(provider))
