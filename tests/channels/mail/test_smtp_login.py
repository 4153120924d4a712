"""Doctor tries the login at a real mail server, sends nothing and says no password."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from rekindle.channels import find_outlet
from rekindle.channels.email.settings import PASSWORD, EmailSettings, SmtpSettings
from rekindle.channels.email.smtp.knocking import try_login
from rekindle.channels.email.smtp.outlet import SmtpOutlet
from rekindle.clock import stopwatch
from rekindle.errors import OutletFaultError
from rekindle.messages import Finding, Severity, Surroundings
from tests.channels.postbox import CERTIFICATE, Postbox, build_mail, message_of
from tests.channels.test_email_smtp_bounds import endless, pour, talking, trickle

SECRET = "hunter2+/=?"
Serve = Callable[..., Postbox]


def look(port: int, password: str = SECRET, **smtp: Any) -> list[Finding]:
    """Return what looking at a server on this machine finds, and see that no password is said."""
    given = {"host": "127.0.0.1", "port": port, "security": "none", "username": "shop", **smtp}
    folder, entry = find_outlet("email_smtp")
    settings = EmailSettings(outlet="email_smtp", smtp=SmtpSettings(**given))
    around = Surroundings("https://shop.test", "", {PASSWORD: password})
    found = list(folder.look(settings, entry, around))
    said = "".join(f"{one.problem}{one.remedy}" for one in found)
    assert not password or password not in said
    assert base64.b64encode(password.encode()).decode() not in said or not password
    return found


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_right_login_is_taken_and_nothing_is_sent(
    serve: Serve, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    box = serve(security=security, password=SECRET)
    (found,) = look(
        box.port, security=security, host="localhost" if security != "none" else "127.0.0.1"
    )
    assert found.severity is Severity.NOTES
    assert "took the login of 'shop'" in found.problem
    assert box.received == []


def test_wrong_password_is_said_in_the_servers_words(serve: Serve) -> None:
    (found,) = look(serve(password="another").port)
    assert found.severity is Severity.REFUSES
    assert "does not take the login of 'shop': 535" in found.problem
    assert PASSWORD in found.remedy


def test_server_without_tls_is_not_trusted_with_the_password(serve: Serve) -> None:
    box = serve(password=SECRET)
    (found,) = look(box.port, security="starttls")
    assert found.severity is Severity.REFUSES
    assert "STARTTLS" in found.problem


def test_certificate_nobody_vouches_for_is_refused(serve: Serve) -> None:
    (found,) = look(serve(security="starttls", password=SECRET).port, security="starttls")
    assert found.severity is Severity.REFUSES
    assert "certificate" in found.problem


@pytest.mark.parametrize("talk", [trickle, endless, pour, lambda client, over: over.wait(30)])
def test_server_that_never_ends_is_left_after_a_while(talk: Any) -> None:
    elapsed = stopwatch()
    with talking(talk) as port:
        (found,) = look(port, timeout_seconds=1)
    assert found.severity is Severity.WARNS
    assert elapsed() < 5


def test_nobody_there_is_worth_a_look() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (found,) = look(port)
    assert found.severity is Severity.WARNS


def test_server_that_says_the_password_back_is_not_repeated() -> None:
    coded = base64.b64encode(f"\0shop\0{SECRET}".encode()).decode()

    def talk(client: socket.socket, over: threading.Event) -> None:
        client.sendall(b"220 here\r\n")
        client.recv(4096)
        client.sendall(b"250-here\r\n250 AUTH PLAIN\r\n")
        client.recv(4096)
        client.sendall(f"535 no \x1b[31m{SECRET} nor {coded}\r\n".encode())
        over.wait(5)

    with talking(talk) as port:
        (found,) = look(port)
    assert "535 no [31m… nor …" in found.problem
    assert coded not in found.problem
    assert "\x1b" not in found.problem


def test_password_is_asked_for_and_never_sent_in_the_open() -> None:
    (found,) = look(9, password="")
    assert (found.severity, PASSWORD in found.problem) == (Severity.REFUSES, True)
    settings = SmtpSettings(host="mail.shop.test", security="none", username="shop")
    (found,) = try_login(settings, SECRET)
    assert found.severity is Severity.WARNS
    assert "not tried" in found.remedy


def test_password_that_is_not_ascii_is_refused_by_doctor_and_outlet(serve: Serve) -> None:
    box = serve(password=SECRET)
    (found,) = look(box.port, password="pässwort")
    assert (found.severity, "not ASCII" in found.problem) == (Severity.REFUSES, True)
    smtp = SmtpSettings(host="127.0.0.1", port=box.port, security="none", username="shop")
    outlet = SmtpOutlet(EmailSettings(outlet="email_smtp", smtp=smtp), "pässwort")
    with pytest.raises(OutletFaultError, match="not ASCII") as raised:
        outlet.send(message_of(build_mail()))
    assert raised.value.__cause__ is None


def test_server_without_a_login_can_be_reached(postbox: Postbox) -> None:
    (found,) = look(postbox.port, username=None)
    assert (found.severity, "can be reached" in found.problem) == (Severity.NOTES, True)
