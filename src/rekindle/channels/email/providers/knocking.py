"""The call of each mail provider that tries a key and sends nothing, where it has one.

Where a provider describes its call is beside it. One that is not in the table has none that
every key for sending may use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from rekindle.channels.asking import Answered
from rekindle.channels.email.providers.table import Provider
from rekindle.channels.knocking import Knock, Verdict, has_none, knock
from rekindle.messages import Finding

Options = Mapping[str, str | None]
Build = Callable[[str, str, str, Options], Knock]


def try_key(
    provider: Provider, options: Options, secrets: Mapping[str, str], *, domain: str, seconds: float
) -> Iterator[Finding]:
    """Yield what a provider says of its key; ``domain`` is the sender's."""
    name = provider.secret(provider.credentials[0])
    build = KNOCKS.get(provider.name)
    if not secrets.get(name):
        return  # that it is missing is said already
    if build is None:
        yield has_none(provider.called, name)
        return
    rest = {key: secrets.get(provider.secret(key)) for key in provider.credentials[1:]}
    one = build(name, secrets[name], domain, {**options, **rest})
    yield from knock(provider.called, one, seconds=seconds)


def _url(options: Options, usual: str, path: str) -> str:
    return f"{(options.get('api_url') or usual).rstrip('/')}/{path}"


def _amazon_ses(name: str, key: str, domain: str, options: Options) -> Knock:
    from rekindle.channels.email.providers.amazon_ses import AwsKey, Signature, api_url_of

    region = options.get("region") or ""
    url = _url(options, api_url_of(region), "v2/email/account")
    source = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"
    signature = Signature(AwsKey(key, options.get("secret_access_key") or "", region))
    return Knock(url, name, source, signature.headers("GET", url, b"", {}), judge=_judge_amazon_ses)


def _judge_amazon_ses(answer: Answered) -> Verdict:
    """Return whether SES took a key, and lets its account write to everybody.

    A key that may only send is refused by the same status as a wrong one, in other words.
    """
    told = answer.fields()
    if not answer.is_taken:
        is_known = "not authorized to perform" in str(told.get("message", told.get("Message", "")))
        return False if answer.status == 403 and not is_known else None
    if told.get("SendingEnabled") is False:
        return "sending is paused for the account"
    if told.get("ProductionAccessEnabled") is False:
        return "its account is in the sandbox, which writes to nobody but verified addresses"
    return True


def _brevo(name: str, key: str, domain: str, options: Options) -> Knock:
    url = _url(options, "https://api.brevo.com/v3", "account")
    source = "https://developers.brevo.com/reference/get-account"
    return Knock(url, name, source, {"api-key": key, "Accept": "application/json"})


def _mailgun(name: str, key: str, domain: str, options: Options) -> Knock:
    sender = quote(options.get("sender_domain") or domain, safe="")
    base = (options.get("api_url") or "https://api.mailgun.net/v3").rstrip("/")
    url = f"{base.removesuffix('/v3')}/v4/domains/{sender}"
    source = "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/domains"
    # A key of one domain may only send, and is refused this with the same status as a wrong one.
    return Knock(url, name, source, user=("api", key), judge=lambda answer: answer.is_taken or None)


def _mandrill(name: str, key: str, domain: str, options: Options) -> Knock:
    url = _url(options, "https://mandrillapp.com/api/1.0", "users/ping2.json")
    source = "https://mailchimp.com/developer/transactional/api/users/ping-2/"
    told = json.dumps({"key": key})
    return Knock(
        url, name, source, {"Content-Type": "application/json"}, data=told, judge=_judge_mandrill
    )


def _judge_mandrill(answer: Answered) -> Verdict:
    """Return whether Mandrill took a key: whatever is wrong is a 500 with a name."""
    if answer.is_taken:
        return True
    return False if answer.fields().get("name") == "Invalid_Key" else None


def _postmark(name: str, key: str, domain: str, options: Options) -> Knock:
    url = _url(options, "https://api.postmarkapp.com", "server")
    source = "https://postmarkapp.com/developer/api/server-api"
    return Knock(url, name, source, {"X-Postmark-Server-Token": key, "Accept": "application/json"})


def _resend(name: str, key: str, domain: str, options: Options) -> Knock:
    url = _url(options, "https://api.resend.com", "domains")
    source = "https://resend.com/docs/api-reference/errors"
    return Knock(url, name, source, {"Authorization": f"Bearer {key}"}, judge=_judge_resend)


def _judge_resend(answer: Answered) -> Verdict:
    """Return whether Resend took a key: one that may only send is named so, with a 401."""
    told = answer.fields()
    if answer.is_taken or told.get("name") == "restricted_api_key":
        return True
    is_wrong = told.get("name") in {"missing_api_key", "invalid_api_key"}
    says_so = "api key is invalid" in str(told.get("message", "")).casefold()
    return False if is_wrong or says_so else None


def _sendgrid(name: str, key: str, domain: str, options: Options) -> Knock:
    url = _url(options, "https://api.sendgrid.com/v3", "scopes")
    source = (
        "https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/"
        "retrieve-a-list-of-scopes-for-which-this-user-has-access"
    )
    return Knock(url, name, source, {"Authorization": f"Bearer {key}"}, judge=_judge_sendgrid)


def _judge_sendgrid(answer: Answered) -> Verdict:
    """Return whether SendGrid took a key, and lets it send: it says what it lets a key do."""
    if not answer.is_taken:
        return False if answer.status == 401 else None
    scopes = answer.fields().get("scopes")
    may_send = isinstance(scopes, list) and "mail.send" in scopes
    return True if may_send else "does not let it send: it lacks the scope mail.send"


KNOCKS: Mapping[str, Build] = {
    "amazon_ses": _amazon_ses,
    "brevo": _brevo,
    "mailgun": _mailgun,
    "mandrill": _mandrill,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": _sendgrid,
}
