"""The mail providers there are: one line a provider, from which its outlet is made.

What each can is of django-anymail's documentation and of the providers' own
(https://anymail.dev/en/stable/esps/). Nothing here loads that library.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

BASIC_AUTH = "webhook_secret"


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    ``credentials`` are what its interface asks for, each from the environment; ``options``
    are keys of its section of ``rekindle.toml`` that it is told, and ``required`` those of
    them that have to be set. ``reports`` is the class that reads its reports, "" where it
    sends none; they are believed by ``signing``, or else by a user and a password in the
    address. ``idempotent_for`` is how long it recognises a message by our key.
    ``has_metadata`` is False where it does not give our key back, and ``switches_tracking``
    where opens and clicks can only be left uncounted for a whole account. ``selectors`` is
    under which names its customers usually have their DKIM keys. ``backend`` is a module of ours
    that speaks to it, where anymail's is not used.
    """

    name: str
    called: str
    credentials: tuple[str, ...] = ("api_key",)
    options: tuple[str, ...] = ("api_url",)
    required: tuple[str, ...] = ()
    reports: str = ""
    signing: str = BASIC_AUTH
    idempotent_for: timedelta | None = None
    has_metadata: bool = True
    switches_tracking: bool = True
    selectors: tuple[str, ...] = ()
    backend: str = ""

    @property
    def outlet(self) -> str:
        """Return the name of its outlet."""
        return f"email_{self.name}"

    @property
    def signing_secret(self) -> str:
        """Return the name of the secret by which its reports are believed."""
        return self.secret(self.signing)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the names of its secrets in the environment."""
        names = [self.secret(one) for one in self.credentials]
        return tuple(dict.fromkeys([*names, *([self.signing_secret] if self.reports else [])]))

    def secret(self, credential: str) -> str:
        """Return by which name the environment holds one of its credentials."""
        return f"REKINDLE_{self.name}_{credential}".upper()


PROVIDERS = (
    Provider(
        "amazon_ses",
        "Amazon SES",
        credentials=("access_key_id", "secret_access_key"),
        options=("api_url", "region", "configuration_set"),
        required=("region",),
        reports="AmazonSESTrackingWebhookView",
        signing="topic_arn",
        switches_tracking=False,
        backend="rekindle.channels.email.providers.amazon_ses",
    ),
    Provider(
        "brevo",
        "Brevo",
        reports="BrevoTrackingWebhookView",
        # https://developers.brevo.com/docs/heterogenous-versions-batch-emails
        idempotent_for=timedelta(minutes=30),
        switches_tracking=False,
        selectors=(
            "brevo1",
            "mail",
        ),
    ),
    Provider(
        "mailersend",
        "MailerSend",
        credentials=("api_token",),
        reports="MailerSendTrackingWebhookView",
        signing="signing_secret",
        has_metadata=False,
        selectors=(
            "mlsend",
            "mlsend2",
        ),
    ),
    Provider(
        "mailgun",
        "Mailgun",
        options=("api_url", "sender_domain"),
        reports="MailgunTrackingWebhookView",
        signing="webhook_signing_key",
    ),
    Provider(
        "mailjet",
        "Mailjet",
        credentials=("api_key", "secret_key"),
        reports="MailjetTrackingWebhookView",
        selectors=("mailjet",),
    ),
    Provider(
        "mailtrap",
        "Mailtrap",
        credentials=("api_token",),
        reports="MailtrapTrackingWebhookView",
        signing="tracking_secret",
        switches_tracking=False,
        selectors=(
            "rwmt1",
            "rwmt2",
        ),
    ),
    Provider(
        "mandrill",
        "Mandrill",
        reports="MandrillCombinedWebhookView",
        signing="webhook_key",
        selectors=(
            "mte1",
            "mandrill",
        ),
    ),
    Provider(
        "postal",
        "Postal",
        required=("api_url",),
        reports="PostalTrackingWebhookView",
        signing="webhook_key",
        has_metadata=False,
        switches_tracking=False,
    ),
    Provider(
        "postmark",
        "Postmark",
        credentials=("server_token",),
        options=("api_url", "message_stream"),
        reports="PostmarkTrackingWebhookView",
    ),
    Provider(
        "resend",
        "Resend",
        reports="ResendTrackingWebhookView",
        signing="signing_secret",
        # https://resend.com/docs/dashboard/emails/idempotency-keys
        idempotent_for=timedelta(hours=24),
        switches_tracking=False,
        selectors=("resend",),
    ),
    Provider(
        "scaleway",
        "Scaleway",
        credentials=("secret_key",),
        options=("api_url", "project_id", "region"),
        required=("project_id",),
        switches_tracking=False,
    ),
    Provider(
        "sendgrid",
        "SendGrid",
        reports="SendGridTrackingWebhookView",
        signing="tracking_webhook_verification_key",
        selectors=(
            "s1",
            "s2",
        ),
    ),
    Provider("sparkpost", "SparkPost", reports="SparkPostTrackingWebhookView"),
    Provider(
        "unisender_go",
        "Unisender Go",
        required=("api_url",),
        reports="UnisenderGoTrackingWebhookView",
        signing="api_key",
    ),
)


def find_provider(outlet: str) -> Provider:
    """Return the provider whose outlet has this name."""
    return next(one for one in PROVIDERS if one.outlet == outlet)
