"""Looks at what DNS says of the sender's domain: SPF, DKIM and DMARC, by RFC 9989.

Gmail and Outlook ask whoever sends in bulk for all three. Records are read by ``checkdmarc``
(the extra ``doctor``). However many names a record leads to, the look is over in seconds;
where DNS does not answer at all, that is said, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rekindle.clock import stopwatch
from rekindle.messages import Finding, Severity

if TYPE_CHECKING:
    from dns.resolver import Resolver

SECONDS = 8.0
SECONDS_A_NAME = 2.0
MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4: mail servers give up on a record that leads to more names."""

LONGEST_WORD = 300


def look_at_domain(
    domain: str, selectors: Sequence[str], *, is_selector_known: bool
) -> Iterator[Finding]:
    """Yield what is wrong with a domain's records, or that nobody could look.

    ``selectors`` are the names under which its DKIM keys may be; ``is_selector_known`` says
    that somebody stated them, so that a missing key is missing.
    """
    if find_spec("checkdmarc") is None:
        yield Finding(
            Severity.NOTES,
            f"the records of {domain} were not looked at: checkdmarc is not installed",
            "install Rekindle with its extra `doctor`",
        )
        return
    resolver = hurried_resolver(SECONDS)
    problem = "" if resolver is None else _unanswered(resolver, domain)
    if resolver is None or problem:
        yield Finding(
            Severity.WARNS,
            f"the records of {domain} were not looked at: DNS does not answer here"
            + (f" ({problem})" if problem else ""),
            "look again where it does",
        )
        return
    yield from _spf(domain, resolver)
    yield from _dkim(domain, resolver, selectors, is_selector_known=is_selector_known)
    yield from _dmarc(domain, resolver)


def hurried_resolver(seconds: float) -> Resolver | None:
    """Return what asks the machine's name servers and is done with all of it in ``seconds``.

    None where the machine names none.
    """
    import dns.exception
    import dns.resolver

    class Hurried(dns.resolver.Resolver):
        """Gives each question what is left of the time."""

        left: Callable[[], float]

        def resolve(self, *given: Any, **more: Any) -> Any:
            left = min(self.left(), SECONDS_A_NAME)
            if left <= 0:
                raise dns.exception.Timeout(timeout=0.0)  # type: ignore[no-untyped-call]
            return super().resolve(*given, **{**more, "lifetime": left})

    try:
        usual = dns.resolver.get_default_resolver()
    except dns.resolver.NoResolverConfiguration:
        return None
    elapsed = stopwatch()
    hurried = Hurried(configure=False)
    hurried.left = lambda: seconds - elapsed()
    hurried.nameservers, hurried.port = list(usual.nameservers), usual.port
    hurried.timeout = 1.0
    return hurried


def _unanswered(resolver: Resolver, domain: str) -> str:
    """Return why no name server answers, "" where one does, whatever it says."""
    import dns.exception
    import dns.resolver

    try:
        resolver.resolve(domain, "SOA", raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return ""
    except (dns.exception.DNSException, OSError) as error:
        return type(error).__name__
    return ""


def _spf(domain: str, resolver: Resolver) -> Iterator[Finding]:
    from checkdmarc.spf import check_spf

    found = check_spf(domain, resolver=resolver, timeout=SECONDS_A_NAME, retries=0)
    remedy = f"publish it as a TXT record of {domain}, with what your provider says"
    if not found.get("valid"):
        yield _finding(f"SPF of {domain}: {found.get('error') or 'none'}", remedy)
        return
    if (found.get("dns_lookups") or 0) > MOST_LOOKUPS:
        count = found["dns_lookups"]
        said = f"SPF of {domain} leads to {count} names, and {MOST_LOOKUPS} are read"
        yield _finding(said, remedy)
    for warning in found.get("warnings") or ():
        yield _finding(f"SPF of {domain}: {warning}", remedy)


def _dmarc(domain: str, resolver: Resolver) -> Iterator[Finding]:
    from checkdmarc.dmarc import check_dmarc

    found: Any = check_dmarc(domain, resolver=resolver, timeout=SECONDS_A_NAME, retries=0)
    remedy = f"publish `v=DMARC1; p=none; rua=mailto:…` at _dmarc.{domain}, or stricter (RFC 9989)"
    if not found.get("valid"):
        yield _finding(f"DMARC of {domain}: {found.get('error') or 'none'}", remedy)
    for warning in found.get("warnings") or ():
        # What a standard forbids or forgot is wrong; that it could be stricter is advice.
        severity = Severity.WARNS if "RFC" in warning else Severity.NOTES
        yield _finding(f"DMARC of {domain}: {warning}", remedy, severity)


def _dkim(
    domain: str, resolver: Resolver, selectors: Sequence[str], *, is_selector_known: bool
) -> Iterator[Finding]:
    keys = {one: _key_at(resolver, f"{one}._domainkey.{domain}") for one in selectors}
    if any(keys.values()):
        return
    revoked = [one for one, key in keys.items() if key == ""]
    if revoked:
        yield _finding(
            f"the DKIM key {revoked[0]}._domainkey.{domain} is empty, which revokes it",
            "publish the key that your provider gives",
        )
    elif is_selector_known:
        yield _finding(
            f"no DKIM key is at {selectors[0]}._domainkey.{domain}",
            "publish the key that your provider gives, or correct email.dkim_selector",
        )
    else:
        yield Finding(
            Severity.NOTES,
            f"whether {domain} has a DKIM key was not looked at: nobody says under which selector",
            "set email.dkim_selector to the name before ._domainkey in what your provider gave you",
        )


def _key_at(resolver: Resolver, name: str) -> str | None:
    """Return the key that stands there (RFC 6376 section 3.6.1), "" if revoked, None if none."""
    import dns.exception

    try:
        answer = resolver.resolve(name, "TXT")
    except (dns.exception.DNSException, OSError):
        return None
    for record in answer:
        text = b"".join(record.strings).decode("utf-8", "replace")
        parts = (part.partition("=") for part in text.split(";"))
        tags = {tag.strip(): value.strip() for tag, sign, value in parts if sign}
        if "p" in tags:
            return "".join(tags["p"].split())
    return None


def _finding(problem: str, remedy: str, severity: Severity = Severity.WARNS) -> Finding:
    return Finding(severity, " ".join(problem.split())[:LONGEST_WORD], remedy)
