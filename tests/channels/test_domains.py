"""What DNS says of a sender's domain is found, and no name server holds anybody up."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from zlib import crc32

import dns.resolver
import pytest

from rekindle.channels import find_channel, find_faults
from rekindle.channels.email.senders.domains import look_at_domain
from rekindle.clock import stopwatch
from rekindle.messages import Finding, Severity, Surroundings
from tests.servers.names import name_server

GOOD = {
    "good.shop.uk": "v=spf1 ip4:192.0.2.1 -all",
    "_dmarc.good.shop.uk": "v=DMARC1; p=reject",
    "k1._domainkey.good.shop.uk": "v=DKIM1; k=rsa; p=" + "MIIB" * 100,
}


@contextmanager
def names(texts: Mapping[str, str], domain: str, *, is_silent: bool = False) -> Iterator[None]:
    """Let this machine ask a name server of the test's."""
    before = dns.resolver.default_resolver
    with name_server(texts, zones=(domain, "shop.uk"), is_silent=is_silent) as port:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        dns.resolver.default_resolver = resolver
        try:
            yield
        finally:
            dns.resolver.default_resolver = before


def look(
    domain: str, texts: Mapping[str, str], *selectors: str, known: bool = True
) -> list[Finding]:
    with names(texts, domain):
        return list(look_at_domain(domain, selectors, is_selector_known=known))


def warnings(found: list[Finding]) -> list[str]:
    return [one.problem for one in found if one.severity is Severity.WARNS]


def test_a_domain_in_order_warns_of_nothing() -> None:
    assert warnings(look("good.shop.uk", GOOD, "k1")) == []


def test_a_domain_without_records_lacks_all_three() -> None:
    spf, dkim, dmarc = warnings(look("bare.shop.uk", {}, "k1"))
    assert spf.startswith("SPF of bare.shop.uk")
    assert dkim == "no DKIM key is at k1._domainkey.bare.shop.uk"
    assert dmarc.startswith("DMARC of bare.shop.uk")


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("_dmarc.", "v=DMARC1; p=reject; pct=20", "pct"),
        ("_dmarc.", "v=DMARC1; p=maybe", "DMARC"),
        ("", "v=spf1 include:gone.shop.uk -all", "SPF"),
        ("", "v=spf1 bogus", "SPF"),
        ("k1._domainkey.", "v=DKIM1; p=", "revokes"),
        ("k1._domainkey.", "k=rsa", "no DKIM key"),
    ],
)
def test_a_record_that_is_wrong_is_told(name: str, text: str, word: str) -> None:
    domain = f"d{crc32(text.encode())}.shop.uk"  # answers are remembered by name
    records = {key.replace("good.shop.uk", domain): value for key, value in GOOD.items()}
    records[f"{name}{domain}"] = text
    (problem,) = warnings(look(domain, records, "k1"))
    assert word in problem


def test_a_key_nobody_named_is_looked_for_where_it_usually_is() -> None:
    domain = "usual.shop.uk"
    records = {key.replace("good.shop.uk", domain): value for key, value in GOOD.items()}
    assert warnings(look(domain, records, "s1", "k1", known=False)) == []
    found = look(domain, records, "s1", known=False)
    assert [one.severity for one in found if "dkim_selector" in one.remedy] == [Severity.NOTES]


def test_a_policy_that_could_be_stricter_is_advice() -> None:
    domain = "mild.shop.uk"
    records = {key.replace("good.shop.uk", domain): value for key, value in GOOD.items()}
    records[f"_dmarc.{domain}"] = "v=DMARC1; p=none"
    found = look(domain, records, "k1")
    assert warnings(found) == []
    assert any("none" in one.problem for one in found)


def test_a_name_server_that_says_nothing_is_told_of_in_seconds() -> None:
    elapsed = stopwatch()
    with names({}, "mute.shop.uk", is_silent=True):
        (found,) = look_at_domain("mute.shop.uk", ("k1",), is_selector_known=True)
    assert elapsed() < 5
    assert "DNS does not answer here" in found.problem


def test_a_machine_without_a_network_is_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    (found,) = look_at_domain("far.shop.uk", ("k1",), is_selector_known=True)
    assert "DNS does not answer here" in found.problem


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "checkdmarc", None)
    monkeypatch.setattr("rekindle.channels.email.senders.domains.find_spec", lambda name: None)
    (found,) = look_at_domain("good.shop.uk", ("k1",), is_selector_known=True)
    assert (found.severity, "extra `doctor`" in found.remedy) == (Severity.NOTES, True)


def test_only_a_doctor_who_may_asks_outside() -> None:
    folder = find_channel("email")
    settings = folder.settings.model_validate(
        {
            "outlet": "email_smtp",
            "from_address": "hello@asked.shop.uk",
            "postal_address": "1 Street",
            "smtp": {"host": "smtp.shop.invalid"},  # nobody is there (RFC 6761)
        }
    )
    around = Surroundings("https://news.shop.uk")
    assert list(find_faults(folder, settings, around)) == []
    with names({}, "asked.shop.uk"):
        found = list(find_faults(folder, settings, around, looks_outside=True))
    server, *domain = warnings(found)
    assert "could not be asked" in server
    assert len(domain) == 2
