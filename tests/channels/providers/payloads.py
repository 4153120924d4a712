"""What each provider reports, by its documentation, and how it signs that."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)
THEN = int(datetime(2026, 5, 4, 8, 30, tzinfo=UTC).timestamp())
TO = "ann@example.com"
KEY = "a" * 64
URL = "https://news.shop.example/v1/reports/email_mandrill"
EC_KEY = ec.derive_private_key(20_260_504, ec.SECP256R1())
# A key of the tests alone, made anew in each run.
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)

Headers = dict[str, str]


def _public(key: Any, *, is_bare: bool) -> str:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    lines = pem.decode().split("\n")
    return "".join(lines[1:-2]) if is_bare else pem.decode()


def _basic(secret: str, body: bytes) -> tuple[bytes, Headers]:
    return body, {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


def _hmac(header: str) -> Callable[[str, bytes], tuple[bytes, Headers]]:
    def sign(secret: str, body: bytes) -> tuple[bytes, Headers]:
        return body, {header: hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}

    return sign


TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"


def certificate_of(key: Any) -> bytes:
    """Return a certificate of a key, as SNS publishes one of its own."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begun = x509.CertificateBuilder(name, name, key.public_key(), 1)
    dated = begun.not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
    return dated.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def post_sns(topic: str, told: dict[str, str], *, version: str = "2", key: Any = RSA_KEY) -> bytes:
    """Return what SNS posts, signed as its documentation says."""
    told = {"MessageId": "n1", "TopicArn": topic, **told}
    told["Timestamp"] = datetime.fromtimestamp(THEN, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    names = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn")
    signed = "".join(f"{one}\n{told[one]}\n" for one in (*names, "Type") if one in told)
    kind: Any = hashes.SHA256() if version == "2" else hashes.SHA1()
    signature = key.sign(signed.encode(), padding.PKCS1v15(), kind)
    told |= {"SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL}
    return json.dumps(told | {"Signature": base64.b64encode(signature).decode()}).encode()


def _sns(secret: str, body: bytes) -> tuple[bytes, Headers]:
    told = {"Type": "Notification", "Message": body.decode("utf-8", "replace")}
    return post_sns(secret, told), {"content-type": "text/plain; charset=UTF-8"}


def _mailgun(secret: str, body: bytes) -> tuple[bytes, Headers]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return body, {}
    if not isinstance(told, dict):
        return body, {}
    token = hashlib.sha256(body).hexdigest()
    signed = hmac.new(secret.encode(), f"{THEN}{token}".encode(), hashlib.sha256).hexdigest()
    told["signature"] = {"timestamp": str(THEN), "token": token, "signature": signed}
    return json.dumps(told).encode(), {}


def _mandrill(secret: str, body: bytes) -> tuple[bytes, Headers]:
    text = body.decode("utf-8", "replace")
    signed = hmac.new(secret.encode(), f"{URL}mandrill_events{text}".encode(), hashlib.sha1)
    headers = {
        "x-mandrill-signature": base64.b64encode(signed.digest()).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    return urlencode({"mandrill_events": text}).encode(), headers


def _svix(secret: str, body: bytes) -> tuple[bytes, Headers]:
    stamp = str(int(NOW.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()
    word = base64.b64encode(signed).decode()
    return body, {"svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": f"v1,x v1,{word}"}


def _sendgrid(secret: str, body: bytes) -> tuple[bytes, Headers]:
    stamp = str(THEN)
    signed = EC_KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    name = "x-twilio-email-event-webhook-"
    word = base64.b64encode(signed).decode()
    return body, {f"{name}signature": word, f"{name}timestamp": stamp}


def _postal(secret: str, body: bytes) -> tuple[bytes, Headers]:
    signed = RSA_KEY.sign(body, padding.PKCS1v15(), hashes.SHA1())
    return body, {"x-postal-signature": base64.b64encode(signed).decode()}


def _unisender(secret: str, body: bytes) -> tuple[bytes, Headers]:
    with_key = body.replace(b"AUTH", secret.encode())
    return body.replace(b"AUTH", hashlib.md5(with_key).hexdigest().encode()), {}


@dataclass(frozen=True)
class Reporter:
    """How a provider reports: its secret, its signature, and what it says of which event.

    ``events`` are bodies by what they are: a kind, and whether it is final or by a machine.
    """

    sign: Callable[[str, bytes], tuple[bytes, Headers]] = _basic
    secret: str = "reports:s3cret"
    provider_id: str = "m1"
    knows_key: bool = True
    events: Mapping[str, Any] = field(default_factory=dict)


def _amazon_ses(event: str, **more: Any) -> Any:
    """Return an event as SES publishes it.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
    """
    headers = [{"name": "X-Metadata", "value": json.dumps({"touch": KEY})}]
    mail = {
        "messageId": "m1",
        "destination": [TO],
        "source": "shop@example.com",
        "headersTruncated": False,
        "headers": headers,
        "tags": {},
    }
    return {"eventType": event, "mail": mail, event.lower(): more}  # fmt: skip


def _ses_bounce(kind: str, said: str) -> Any:
    who = {"emailAddress": TO, "action": "failed", "status": said[4:9], "diagnosticCode": said}
    return _amazon_ses("Bounce", bounceType=kind, bounceSubType="General", bouncedRecipients=[who])


def _brevo(event: str, **more: Any) -> Any:
    return {"event": event, "email": TO, "id": 1, "ts_epoch": THEN * 1000, "message-id": "m1",
            "X-Mailin-custom": json.dumps({"touch": KEY}), **more}  # fmt: skip


def _mailersend(event: str, **more: Any) -> Any:
    return {"type": f"activity.{event}", "data": {"object": "activity", "id": f"a-{event}",
            "type": event, "created_at": "2026-05-04T08:30:00.000000Z", "email": {
                "message": {"id": "m1"}, "recipient": {"email": TO}}, **more}}  # fmt: skip


def _of_mailgun(event: str, **more: Any) -> Any:
    return {"event-data": {"event": event, "timestamp": float(THEN), "recipient": TO,
            "message": {"headers": {"message-id": "m1@example.com"}},
            "user-variables": {"touch": KEY}, **more}}  # fmt: skip


def _mailjet(event: str, **more: Any) -> Any:
    return [{"event": event, "time": THEN, "MessageID": 456, "email": TO,
             "Payload": json.dumps({"touch": KEY}), **more}]  # fmt: skip


def _mailtrap(event: str, **more: Any) -> Any:
    return {"events": [{"event": event, "email": TO, "message_id": "m1", "timestamp": THEN,
                        "event_id": f"e-{event}", "custom_variables": {"touch": KEY},
                        **more}]}  # fmt: skip


def _of_mandrill(event: str, *, diag: str = "", **more: Any) -> Any:
    told = {"_id": "m1", "email": TO, "metadata": {"touch": KEY}, "diag": diag}
    return [{"event": event, "ts": THEN, "_id": "m1", "msg": told, **more}]


def _of_postal(**payload: Any) -> Any:
    message = {"id": 7, "token": "t", "direction": "outgoing", "to": TO, "tag": "x"}
    return {"event": "x", "timestamp": THEN, "uuid": f"u-{sorted(payload)}",
            "payload": {"message": message, **payload}}  # fmt: skip


def _postmark(record: str, **more: Any) -> Any:
    times = {"DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt"}
    stamp = {next(iter(times & set(more)), "ReceivedAt"): "2026-05-04T08:30:00Z"}
    return {"RecordType": record, "MessageID": "m1", "Recipient": TO,
            "Metadata": {"touch": KEY}, **stamp, **more}  # fmt: skip


def _resend(event: str, **data: Any) -> Any:
    return {"type": f"email.{event}", "created_at": "2026-05-04T08:30:00.000Z",
            "data": {"email_id": "m1", "to": [TO], "headers": [
                {"name": "X-Metadata", "value": json.dumps({"touch": KEY})}], **data}}  # fmt: skip


def _of_sendgrid(event: str, **more: Any) -> Any:
    return [{"event": event, "email": TO, "timestamp": THEN, "anymail_id": "m1", "touch": KEY,
             "sg_event_id": f"e-{event}", **more}]  # fmt: skip


def _sparkpost(event: str, group: str = "message_event", **more: Any) -> Any:
    return [{"msys": {group: {"type": event, "timestamp": str(THEN), "transmission_id": "m1",
             "event_id": f"e-{event}", "raw_rcpt_to": TO, "rcpt_meta": {"touch": KEY},
             **more}}}]  # fmt: skip


def _of_unisender(status: str, **info: Any) -> Any:
    told = {"job_id": "m1", "email": TO, "status": status, "event_time": "2026-05-04 08:30:00",
            "metadata": {"touch": KEY}, "delivery_info": info}  # fmt: skip
    events = [{"event_name": "transactional_email_status", "event_data": told}]
    return {"auth": "AUTH", "events_by_user": [{"user_id": 1, "events": events}]}


GONE = "550 5.1.1 no such user"
POLICY = "550 5.7.26 this mail is not authenticated"
UA = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"

REPORTERS: Mapping[str, Reporter] = {
    "amazon_ses": Reporter(_sns, TOPIC, events={
        "delivered": _amazon_ses("Delivery", recipients=[TO], smtpResponse="250 2.6.0 ok"),
        "bounced": _ses_bounce("Permanent", f"smtp; {GONE}"),
        "not now": _ses_bounce("Transient", "smtp; 452 4.2.2 full"),
        "ours": _ses_bounce("Permanent", f"smtp; {POLICY}"),
        "complained": _amazon_ses("Complaint", complainedRecipients=[{"emailAddress": TO}],
                                  complaintFeedbackType="abuse"),
        "opened": _amazon_ses("Open", userAgent=UA),
        "machine": _amazon_ses("Open", userAgent=PROXY),
        "clicked": _amazon_ses("Click", link="https://shop.example/", userAgent=UA),
    }),
    "brevo": Reporter(events={
        "delivered": _brevo("delivered"),
        "bounced": _brevo("hard_bounce", reason=GONE),
        "not now": _brevo("soft_bounce", reason="452 4.2.2 full"),
        "ours": _brevo("hard_bounce", reason=POLICY),
        "complained": _brevo("spam"),
        "unsubscribed": _brevo("unsubscribe"),
        "opened": _brevo("opened"),
        "machine": _brevo("unique_proxy_open"),
        "clicked": _brevo("click", link="https://shop.example/"),
    }),
    "mailersend": Reporter(_hmac("signature"), "sign-me", knows_key=False, events={
        "delivered": _mailersend("delivered"),
        "bounced": _mailersend("hard_bounced", morph={"object": "recipient_bounce",
                                                      "reason": GONE}),
        "not now": _mailersend("soft_bounced", morph={"object": "recipient_bounce",
                                                      "reason": "mailbox full"}),
        "ours": _mailersend("hard_bounced", morph={"object": "recipient_bounce",
                                                   "reason": POLICY}),
        "complained": _mailersend("spam_complaint"),
        "unsubscribed": _mailersend("unsubscribed"),
        "opened": _mailersend("opened"),
        "clicked": _mailersend("clicked"),
    }),
    "mailgun": Reporter(_mailgun, "key-1", "<m1@example.com>", events={
        "delivered": _of_mailgun("delivered"),
        "bounced": _of_mailgun("failed", severity="permanent", reason="bounce", **{
            "delivery-status": {"code": 550, "message": "5.1.1 no such user"}}),
        "ours": _of_mailgun("failed", severity="permanent", reason="generic", **{
            "delivery-status": {"code": 550, "message": "5.7.26 not authenticated"}}),
        "complained": _of_mailgun("complained"),
        "unsubscribed": _of_mailgun("unsubscribed"),
        "opened": _of_mailgun("opened", **{"client-info": {"user-agent": UA}}),
        "machine": _of_mailgun("opened", **{"client-info": {"user-agent": UA, "bot": "apple"}}),
        "clicked": _of_mailgun("clicked", url="https://shop.example/"),
    }),
    "mailjet": Reporter(provider_id="456", events={
        "delivered": _mailjet("sent"),
        "bounced": _mailjet("bounce", hard_bounce=True, error="user unknown", comment=GONE),
        "not now": _mailjet("bounce", hard_bounce=False, error="quota exceeded"),
        "complained": _mailjet("spam"),
        "unsubscribed": _mailjet("unsub"),
        "opened": _mailjet("open", agent=UA),
        "machine": _mailjet("open", agent=PROXY),
        "clicked": _mailjet("click", url="https://shop.example/"),
    }),
    "mailtrap": Reporter(_hmac("mailtrap-signature"), "sign-me", events={
        "delivered": _mailtrap("delivery"),
        "bounced": _mailtrap("bounce", response=GONE),
        "ours": _mailtrap("bounce", response=POLICY),
        "complained": _mailtrap("spam"),
        "unsubscribed": _mailtrap("unsubscribe"),
        "opened": _mailtrap("open", user_agent=UA),
        "machine": _mailtrap("open", user_agent=PROXY),
        "clicked": _mailtrap("click", url="https://shop.example/"),
    }),
    "mandrill": Reporter(_mandrill, "key-1", events={
        "delivered": _of_mandrill("send"),
        "bounced": _of_mandrill("hard_bounce", diag=GONE),
        "not now": _of_mandrill("soft_bounce", diag="452 4.2.2 full"),
        "ours": _of_mandrill("hard_bounce", diag=POLICY),
        "complained": _of_mandrill("spam"),
        "unsubscribed": _of_mandrill("unsub"),
        "opened": _of_mandrill("open", user_agent=UA),
        "machine": _of_mandrill("open", user_agent=PROXY),
        "clicked": _of_mandrill("click", url="https://shop.example/"),
    }),
    "postal": Reporter(_postal, _public(RSA_KEY, is_bare=True), "7", knows_key=False, events={
        "delivered": _of_postal(status="Sent", details="x"),
        "bounced": _of_postal(status="HardFail", output=GONE),
        "ours": _of_postal(status="HardFail", output=POLICY),
        "clicked": _of_postal(url="https://shop.example/", user_agent=UA),
        "machine": _of_postal(url="https://shop.example/", user_agent="curl/8.0"),
    }),
    "postmark": Reporter(events={
        "delivered": _postmark("Delivery", DeliveredAt=""),
        "bounced": _postmark("Bounce", Type="HardBounce", ID=1, Email=TO, Details=GONE),
        "not now": _postmark("Bounce", Type="SoftBounce", ID=2, Email=TO),
        "ours": _postmark("Bounce", Type="HardBounce", ID=3, Email=TO, Details=POLICY),
        "failed": _postmark("Bounce", Type="SpamNotification", ID=4, Email=TO),
        "complained": _postmark("SpamComplaint", Type="SpamComplaint", ID=5, Email=TO),
        "unsubscribed": _postmark("SubscriptionChange", SuppressSending=True,
                                  SuppressionReason="ManualSuppression"),
        "opened": _postmark("Open", UserAgent=UA),
        "machine": _postmark("Open", UserAgent=PROXY),
        "clicked": _postmark("Click", OriginalLink="https://shop.example/"),
    }),
    "resend": Reporter(_svix, "whsec_" + base64.b64encode(b"k" * 24).decode(), events={
        "delivered": _resend("delivered"),
        "bounced": _resend("bounced", bounce={"type": "Permanent", "subType": "General",
                                              "message": GONE}),
        "not now": _resend("bounced", bounce={"type": "Transient", "message": "full"}),
        "complained": _resend("complained"),
        "opened": _resend("opened"),
        "clicked": _resend("clicked", click={"link": "https://shop.example/", "userAgent": UA}),
        "machine": _resend("clicked", click={"link": "https://shop.example/",
                                             "userAgent": "python-requests/2"}),
    }),
    "sendgrid": Reporter(_sendgrid, _public(EC_KEY, is_bare=True), events={
        "delivered": _of_sendgrid("delivered", response="250 OK"),
        "bounced": _of_sendgrid("bounce", type="bounce", reason=GONE, status="5.1.1"),
        "not now": _of_sendgrid("bounce", type="blocked", reason="550 5.7.1 no"),
        "complained": _of_sendgrid("spamreport"),
        "unsubscribed": _of_sendgrid("unsubscribe"),
        "opened": _of_sendgrid("open", useragent=UA),
        "machine": _of_sendgrid("open", useragent=UA, sg_machine_open=True),
        "clicked": _of_sendgrid("click", url="https://shop.example/"),
    }),
    "sparkpost": Reporter(events={
        "delivered": _sparkpost("delivery"),
        "bounced": _sparkpost("bounce", bounce_class="10", raw_reason=GONE),
        "not now": _sparkpost("bounce", bounce_class="22", raw_reason="452 4.2.2 full"),
        "ours": _sparkpost("bounce", bounce_class="10", raw_reason=POLICY),
        "complained": _sparkpost("spam_complaint"),
        "unsubscribed": _sparkpost("list_unsubscribe", "unsubscribe_event"),
        "opened": _sparkpost("open", "track_event", user_agent=UA),
        "machine": _sparkpost("open", "track_event", user_agent=UA, is_prefetched=True),
        "clicked": _sparkpost("click", "track_event", target_link_url="https://shop.example/"),
    }),
    "unisender_go": Reporter(_unisender, "key-1", events={
        "delivered": _of_unisender("delivered"),
        "bounced": _of_unisender("hard_bounced", delivery_status="err_user_unknown",
                                 destination_response=GONE),
        "not now": _of_unisender("hard_bounced", delivery_status="err_mailbox_full"),
        "complained": _of_unisender("spam"),
        "unsubscribed": _of_unisender("unsubscribed"),
        "opened": _of_unisender("opened", user_agent=UA),
        "machine": _of_unisender("opened", user_agent=PROXY),
        "clicked": _of_unisender("clicked", url="https://shop.example/"),
    }),
}  # fmt: skip
