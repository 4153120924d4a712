"""What ``[sms]`` in ``rekindle.toml`` may say, what it lacks, and the secrets beside it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, LongText, Place, Settings, Text
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

TWILIO_TOKEN = "REKINDLE_TWILIO_AUTH_TOKEN"
GATEWAY_KEY = "REKINDLE_SMS_GATEWAY_KEY"
REPORTS_KEY = "REKINDLE_SMS_REPORTS_KEY"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
URL = r"^https?://[^\s]+$"


class SmsFolderSettings(Settings):
    """A folder that receives one ``.txt`` file a message."""

    path: Place = Field("state/sms", description="Folder, relative to the workspace.")


class TwilioSettings(Settings):
    """An account at Twilio. Its token comes from ``REKINDLE_TWILIO_AUTH_TOKEN``."""

    account: Text = Field("", pattern=r"^(AC[0-9a-f]{32})?$", description="The account's SID.")
    from_number: Text = Field("", description="A number or sender of yours.")
    messaging_service: Text = Field(
        "", pattern=r"^(MG[0-9a-f]{32})?$", description="SID of a messaging service, instead."
    )
    reports_url: Text = Field(
        "",
        pattern=r"^(https?://[^\s?]+)?$",
        description="Where Twilio reaches /v1/reports/sms_twilio from outside, as it signs it.",
    )
    api_url: Text = Field(
        "https://api.twilio.com", pattern=URL, description="Another region, or a server to try."
    )


class GatewaySettings(Settings):
    """Any gateway that takes one HTTP request a message.

    In ``url``, ``fields`` and ``headers`` stand ``{to}``, ``{text}``, ``{from}``, ``{key}`` (ours,
    of this message), ``{seconds}`` (how long it may be under way) and ``{secret}``, which comes
    from ``REKINDLE_SMS_GATEWAY_KEY``.
    """

    url: Text = Field("", pattern=r"^(https?://[^\s]+)?$", description="Where a message goes.")
    method: Literal["POST", "PUT", "GET"] = Field("POST", description="How it is asked.")
    body: Literal["json", "form", "query"] = Field("json", description="Where the fields go.")
    fields: dict[str, Text] = Field(
        {"to": "{to}", "text": "{text}"}, description="Names and values of what is sent."
    )
    headers: dict[str, Text] = Field({}, description="Such as Authorization: Bearer {secret}.")
    from_number: Text = Field("", description="What stands for {from}.")
    taken: tuple[int, ...] = Field((200, 201, 202), description="Statuses that mean it was taken.")
    taken_field: Text = Field("", description="A field of the JSON answer that says so as well.")
    taken_values: tuple[Text, ...] = Field((), description="What it says then.")
    id_field: Text = Field("id", description="The field that holds the gateway's id.")


class SmsSettings(ChannelSettings):
    """How text messages leave the building."""

    outlet: Literal["sms_folder", "sms_twilio", "sms_gateway"] = Field(
        "sms_folder", description="sms_folder writes files and sends nothing."
    )
    cost: Cost = Field(Decimal("0.05"), description="Of one segment, in the currency.")
    max_segments: int = Field(
        3,
        ge=1,
        le=10,
        description="The longest text. So much is set aside when a message is decided.",
    )
    stop_text: Text = Field(
        "Reply STOP to opt out",
        description="How marketing ends, unless its template says so; {link} is the way out.",
    )
    help_text: LongText = Field("", max_length=480, description="The answer to HELP.")
    stopped_text: LongText = Field(
        "You get no more messages from us. Reply START to change that.",
        max_length=480,
        description="The answer to a stop in words of their own; empty for none.",
    )
    plain_punctuation: bool = Field(
        True, description="Write plain quotes and dashes where that takes fewer segments."
    )
    timeout_seconds: int = Field(30, gt=0, le=600, description="How long to wait for an answer.")
    connections: int = Field(4, ge=1, le=32, description="How many are asked at the same time.")
    folder: SmsFolderSettings = SmsFolderSettings()
    twilio: TwilioSettings = TwilioSettings()
    gateway: GatewaySettings = GatewaySettings()

    @property
    def highest_cost(self) -> Decimal:
        """Return what the longest text costs."""
        return self.cost * self.max_segments


STARTER = """\
# "sms_folder" writes each text to a file and sends nothing; "sms_twilio" and "sms_gateway" send.
# [sms]
# outlet = "sms_folder"
# cost = 0.05  # of one segment
# help_text = "My shop: 020 7946 0018. Reply STOP to opt out."
"""


def starter(shop_name: str) -> str:
    """Return the section of a new workspace."""
    return STARTER


def check(
    settings: SmsSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack."""
    if not settings.stop_text.strip():
        yield Finding(
            Severity.REFUSES,
            "sms.stop_text is empty; every marketing text has to tell how to stop "
            "(47 CFR 64.1200(a)(10); CTIA Messaging Principles 5.1.3)",
            "set it in rekindle.toml",
        )
    if outlet.name == "sms_twilio":
        yield from _check_twilio(settings, surroundings)
    elif outlet.name == "sms_gateway":
        yield from _check_gateway(settings)
    if outlet.capabilities.reaches_people and not settings.help_text.strip():
        yield Finding(
            Severity.WARNS,
            "sms.help_text is empty: whoever writes HELP is not answered",
            "say who you are and how you are reached",
        )


def look(
    settings: SmsSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the provider says of its key; no text is sent for it."""
    from rekindle.channels.sms.twilio.trying import try_key

    if outlet.name == "sms_twilio" and settings.twilio.account:
        yield from try_key(settings, surroundings.secrets.get(TWILIO_TOKEN, ""))
    elif outlet.name == "sms_gateway":
        yield Finding(
            Severity.NOTES,
            "a gateway has no call that tries its secret and sends nothing",
            "`rekindle send-test` shows whether it takes it",
        )


def _check_twilio(settings: SmsSettings, surroundings: Surroundings) -> Iterator[Finding]:
    twilio = settings.twilio
    if not twilio.account:
        yield _lacks("sms.twilio.account", "copy the account's SID from Twilio's console")
    if not (twilio.from_number or twilio.messaging_service):
        yield _lacks("sms.twilio.from_number", "name a number of yours, or a messaging_service")
    if not surroundings.secrets.get(TWILIO_TOKEN):
        yield _lacks(TWILIO_TOKEN, "set it in the environment")
    if not twilio.reports_url:
        yield Finding(
            Severity.WARNS,
            "sms.twilio.reports_url is empty: what becomes of a text, and who writes STOP, is "
            "not reported",
            "name the public address of /v1/reports/sms_twilio, here and in Twilio's console",
        )
    sender = twilio.from_number
    if sender and not sender.lstrip("+").isdecimal() and "{link}" not in settings.stop_text:
        yield Finding(
            Severity.REFUSES,
            f"sms.twilio.from_number is {sender!r}, which nobody can reply to, and sms.stop_text "
            "names no {link}",
            "let stop_text say 'Opt out: {link}'",
        )
    yield from _check_https("sms.twilio.api_url", twilio.api_url)


def _check_gateway(settings: SmsSettings) -> Iterator[Finding]:
    gateway = settings.gateway
    if not gateway.url:
        yield _lacks("sms.gateway.url", "name where the gateway takes messages")
    else:
        yield from _check_https("sms.gateway.url", gateway.url)


def _check_https(name: str, url: str) -> Iterator[Finding]:
    """Numbers, texts and secrets are not sent for everybody to read."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        yield Finding(Severity.REFUSES, f"{name} is {url!r}, which is not https", "use https")


def _lacks(name: str, remedy: str) -> Finding:
    return Finding(Severity.REFUSES, f"{name} is empty", remedy)
