"""What ``[email]`` in ``rekindle.toml`` may say, what it lacks, and the secrets beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from rekindle.channels.email.providers.table import find_provider
from rekindle.config import (
    MOST_MESSAGES,
    ChannelSettings,
    Cost,
    LongText,
    Place,
    Settings,
    Text,
)
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

PASSWORD = "REKINDLE_SMTP_PASSWORD"
REPORTS_KEY = "REKINDLE_MAIL_REPORTS_KEY"
LOOPBACK = frozenset({"127.0.0.1", "::1"})
THIS_MACHINE = LOOPBACK | {"localhost", "0.0.0.0"}
# https://www.rfc-editor.org/rfc/rfc2606
RESERVED = frozenset(("example", end) for end in ("com", "net", "org"))
RESERVED_ENDS = frozenset({"example", "test", "invalid", "localhost"})


class SmtpSettings(Settings):
    """The mail server. Its password comes from ``REKINDLE_SMTP_PASSWORD``."""

    host: Text = Field("localhost", min_length=1, description="Name of the server.")
    port: int = Field(587, gt=0, lt=65536, description="587 for starttls, 465 for tls.")
    username: Text | None = Field(None, description="Login; none where the server asks for none.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is protected."
    )
    timeout_seconds: int = Field(30, gt=0, le=3600, description="How long to wait for the server.")
    connections: int = Field(2, ge=1, le=32, description="How many are open at the same time.")
    messages_per_connection: int = Field(
        1000,
        ge=1,
        le=MOST_MESSAGES,
        description="After so many a connection is opened anew; some servers limit it.",
    )


class FolderSettings(Settings):
    """A folder that receives one ``.eml`` file a message."""

    path: Place = Field("state/outbox", description="Folder, relative to the workspace.")


class HttpSettings(Settings):
    """How a provider's HTTP interface is spoken to; its keys come from the environment."""

    timeout_seconds: int = Field(30, gt=0, le=3600, description="How long to wait for an answer.")
    connections: int = Field(2, ge=1, le=32, description="How many are open at the same time.")


class ProviderSettings(Settings):
    """One provider's interface."""

    api_url: Text | None = Field(
        None, pattern=r"^https?://\S+$", description="Where it is, if not where it usually is."
    )


class AmazonSesSettings(ProviderSettings):
    """Amazon SES. It reports what becomes of messages by a topic of SNS."""

    region: Text | None = Field(
        None, pattern=r"^[a-z0-9-]+$", description="Where you verified the sender; required."
    )
    configuration_set: Text | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The configuration set whose events go to the topic.",
    )


class MailgunSettings(ProviderSettings):
    """Mailgun. ``api_url`` is https://api.eu.mailgun.net/v3 for domains in the EU."""

    sender_domain: Text | None = Field(
        None, description="Its name of the sending domain; the sender's own if not set."
    )


class PostmarkSettings(ProviderSettings):
    """Postmark."""

    message_stream: Text = Field(
        "broadcast", min_length=1, description="Postmark asks for a broadcast stream for marketing."
    )


class ScalewaySettings(ProviderSettings):
    """Scaleway Transactional Email."""

    project_id: Text | None = Field(None, description="The project that is billed; required.")
    region: Text = Field("fr-par", min_length=1, description="Its region.")


class EmailSettings(ChannelSettings):
    """How e-mail leaves the building."""

    outlet: Literal[
        "email_folder",
        "email_smtp",
        "email_amazon_ses",
        "email_brevo",
        "email_mailersend",
        "email_mailgun",
        "email_mailjet",
        "email_mailtrap",
        "email_mandrill",
        "email_postal",
        "email_postmark",
        "email_resend",
        "email_scaleway",
        "email_sendgrid",
        "email_sparkpost",
        "email_unisender_go",
    ] = Field("email_folder", description="email_folder writes files and sends nothing.")
    from_address: Text = Field(
        "shop@example.com", pattern=r"^[^@\s]+@[^@\s]+$", description="The sender's address."
    )
    from_name: Text = Field("My shop", description="The sender's name.")
    postal_address: LongText = Field(
        "", max_length=1000, description="Required before anything is sent (CAN-SPAM § 7704(a)(5))."
    )
    list_id: Text = Field(
        "winback.example.com", pattern=r"^[A-Za-z0-9.-]+$", description="RFC 2919 List-ID."
    )
    dkim_selector: Text | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Where the key of the sender's domain is: SELECTOR._domainkey. For `doctor`.",
    )
    cost: Cost = Field(Decimal("0.001"), description="Of one message, in the currency.")
    smtp: SmtpSettings = SmtpSettings()
    folder: FolderSettings = FolderSettings()
    http: HttpSettings = HttpSettings()
    amazon_ses: AmazonSesSettings = AmazonSesSettings()
    brevo: ProviderSettings = ProviderSettings()
    mailersend: ProviderSettings = ProviderSettings()
    mailgun: MailgunSettings = MailgunSettings()
    mailjet: ProviderSettings = ProviderSettings()
    mailtrap: ProviderSettings = ProviderSettings()
    mandrill: ProviderSettings = ProviderSettings()
    postal: ProviderSettings = ProviderSettings()
    postmark: PostmarkSettings = PostmarkSettings()
    resend: ProviderSettings = ProviderSettings()
    scaleway: ScalewaySettings = ScalewaySettings()
    sendgrid: ProviderSettings = ProviderSettings()
    sparkpost: ProviderSettings = ProviderSettings()
    unisender_go: ProviderSettings = ProviderSettings()

    def options_of(self, provider: str) -> Mapping[str, str | None]:
        """Return what the section of a provider says."""
        found: ProviderSettings = getattr(self, provider)
        return found.model_dump()

    @property
    def sender(self) -> str:
        """Return the sending domain, whose good name a warm-up builds."""
        return self.from_address.rpartition("@")[2].casefold()

    @property
    def list_name(self) -> str:
        """Return the list that the link in a message leaves."""
        return self.list_id

    @property
    def shown(self) -> Mapping[str, str]:
        """Return what templates may show of the business beside its name."""
        return {"postal_address": self.postal_address}


STARTER = """\
# "email_folder" writes each message to a file and sends nothing; "email_smtp" sends, and so do
# "email_postmark", "email_mailgun", "email_resend" and others, each with a key of its own.
[email]
outlet = "email_folder"
from_address = "shop@example.com"
from_name = {name}
postal_address = ""  # required before anything is sent
list_id = "winback.example.com"
cost = 0.001  # of one message

# [email.smtp]  # the password comes from REKINDLE_SMTP_PASSWORD
# host = "smtp.example.com"
# port = 587
# username = "shop"
"""


def starter(shop_name: str) -> str:
    """Return the section of a new workspace; ``shop_name`` is written as TOML text."""
    return STARTER.format(name=shop_name)


def check(
    settings: EmailSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack.

    RFC 8058 section 3.1 asks for an HTTPS URI to unsubscribe by; mailbox providers ignore
    any other. A mail server at an address of this very machine is one to try things out
    with: what would be wrong in real messages is only said of it.
    """
    if not settings.postal_address.strip():
        yield Finding(
            Severity.REFUSES,
            "email.postal_address is empty; every marketing message has to carry one "
            "(CAN-SPAM, 15 U.S.C. § 7704(a)(5))",
            "set it in rekindle.toml",
        )
    if not outlet.capabilities.reaches_people:
        return
    is_trial = _place(settings, outlet) in LOOPBACK
    severity = Severity.WARNS if is_trial else Severity.REFUSES
    yield from _check_links(surroundings.portal_url, severity)
    if _is_reserved(settings.sender):
        yield Finding(
            severity,
            f"email.from_address is {settings.from_address!r}, a domain of nobody (RFC 2606)",
            "write from a domain of yours",
        )
    yield from _check_way(settings, outlet, surroundings)


def look_outside(
    settings: EmailSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what a provider or mail server says of our key, and DNS of the sender's domain.

    Both where messages reach people; nothing leaves for it.
    """
    if not outlet.capabilities.reaches_people:
        return
    if outlet.name == "email_smtp":
        yield from _try_login(settings, surroundings)
    else:
        yield from _try_key(settings, outlet, surroundings)
    if _is_reserved(settings.sender):
        return
    if _place(settings, outlet) in LOOPBACK:
        return  # to try things out with
    from rekindle.channels.email.senders.domains import look_at_domain

    own = settings.dkim_selector
    usual = () if outlet.name == "email_smtp" else find_provider(outlet.name).selectors
    yield from look_at_domain(
        settings.sender, (own,) if own else usual, is_selector_known=own is not None
    )


def _try_login(settings: EmailSettings, surroundings: Surroundings) -> Iterator[Finding]:
    from rekindle.channels.email.smtp.knocking import try_login

    if "host" in settings.smtp.model_fields_set:  # that none is named is said already
        yield from try_login(settings.smtp, surroundings.secrets.get(PASSWORD, ""))


def _try_key(
    settings: EmailSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    from rekindle.channels.email.providers.knocking import try_key

    provider = find_provider(outlet.name)
    yield from try_key(
        provider,
        settings.options_of(provider.name),
        surroundings.secrets,
        domain=settings.sender,
        seconds=settings.http.timeout_seconds,
    )


def _place(settings: EmailSettings, outlet: OutletEntry) -> str | None:
    """Return the name of the machine that takes the messages, None where it is the usual one."""
    if outlet.name == "email_smtp":
        return settings.smtp.host
    url = settings.options_of(find_provider(outlet.name).name).get("api_url")
    return urlsplit(url).hostname if url else None


def _check_way(
    settings: EmailSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the way out itself lacks: a server's name, or a provider's keys and settings."""
    if outlet.name == "email_smtp":
        if "host" not in settings.smtp.model_fields_set:
            yield Finding(
                Severity.REFUSES,
                f"email.smtp.host is not set, and would be {settings.smtp.host!r}",
                "name the mail server in [email.smtp]",
            )
        return
    provider = find_provider(outlet.name)
    for secret in (provider.secret(one) for one in provider.credentials):
        if not surroundings.secrets.get(secret):
            yield Finding(
                Severity.REFUSES,
                f"{secret} is not set, which {provider.called} asks for",
                "set it in the environment, or name its file by " + secret + "_FILE",
            )
    for option in provider.required:
        if not settings.options_of(provider.name).get(option):
            yield Finding(
                Severity.REFUSES,
                f"email.{provider.name}.{option} is not set",
                f"{provider.called} says it in your account",
            )
    if provider.reports and not surroundings.secrets.get(provider.signing_secret):
        yield Finding(
            Severity.WARNS,
            f"{provider.signing_secret} is not set, so what {provider.called} reports of bounces "
            "and complaints is not believed",
            f"let it report to /v1/reports/{provider.outlet} and set the secret",
        )
    if not provider.switches_tracking:
        yield Finding(
            Severity.NOTES,
            f"{provider.called} counts opens and clicks by a setting of the account or the "
            "domain, which a message cannot switch off",
            "see that it is off there: links and pixels of its own are nobody's consent",
        )


def _check_links(portal_url: str, severity: Severity) -> Iterator[Finding]:
    """Yield what is wrong with the links that stand in messages."""
    url = urlsplit(portal_url)
    if url.hostname in THIS_MACHINE:
        yield Finding(
            severity,
            f"portal.url is {portal_url!r}: nobody else can open links to this machine",
            "set it to where customers reach the portal, over https",
        )
    elif url.scheme != "https":
        yield Finding(
            Severity.REFUSES,
            f"portal.url is {portal_url!r}, and unsubscribe links have to be https (RFC 8058)",
            "serve the portal over https, or let email.outlet be 'email_folder'",
        )


def _is_reserved(domain: str) -> bool:
    """Return whether a domain is one of those that documents use, or has no dot."""
    parts = domain.split(".")
    return len(parts) < 2 or parts[-1] in RESERVED_ENDS or tuple(parts[-2:]) in RESERVED
