"""The second act: a club's subscriptions, a payment that fails, and a return by one press.

The biller is made up and runs beside, the club's own system is a listener of ours, and whoever
presses the button does it over HTTP.
"""

from __future__ import annotations

import csv
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rekindle.cli.demo.shop import give_address
from rekindle.cli.demo.showing import Show
from rekindle.clock import SystemClock
from rekindle.errors import WorkError

PATIENCE_SECONDS = 60
HOOK_SECRET = "whsec_" + "b3VyIG93biBzeXN0ZW0gb2YgdGhlIGRlbW8u"
BILLING = """
[billing]
provider = "stripe"
url = "{biller}"  # the made-up one; without it Stripe's own
customer_key = "user_id"
access_url = "{access}"

[subscriptions.kept]
what = ["Your shelves", "Your notes"]
"""
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
HEADING = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)
PRICE = re.compile(r"<strong>(.*?)</strong>", re.DOTALL)


class ClubAct:
    """A club in a workspace of its own, from the biller's listing to a return."""

    def __init__(self, show: Show, directory: Path, *, people: int) -> None:
        self._show, self._people = show, people
        self._folder, self._reports = directory / "club", directory / "reports"
        self._port = _free_port()
        self._portal = f"http://127.0.0.1:{self._port}"

    def perform(self) -> None:
        """Show the act; what runs beside ends with it."""
        with ExitStack() as running:
            system = running.enter_context(_listening())
            biller = running.enter_context(self._billing())
            running.enter_context(_environment(biller))
            self._begin(biller, system)
            self._ask_about_payments()
            link = self._write_to_who_left()
            with self._serving():
                self._come_back(link, system)
            self._tell_what_came()

    def _begin(self, biller: Mapping[str, Any], system: OwnSystem) -> None:
        cards = self._folder.parent / "club.csv"
        _write_cards(cards, biller["people"])
        name = ("--name", "Reading Club", "--currency", "USD", "--timezone", "Europe/London")
        self._show.run("init", str(self._folder), "--customers", str(cards), *name, "--yes")
        settings = self._folder / "rekindle.toml"
        give_address(settings)
        text = settings.read_text(encoding="utf-8")
        # Whoever runs this at night would wait until the morning.
        text = text.replace('start = "21:00"', 'start = "08:00"', 1)
        text = text.replace("http://127.0.0.1:8080", self._portal, 1)
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self._port}", 1)
        text += BILLING.format(biller=biller["url"], access=system.url)
        settings.write_text(text, encoding="utf-8")
        self._show.tell(f"{settings} was told of the biller, in [billing].")
        self._show.run("pull", *self._here)
        page = str(self._reports / "club.html")
        self._show.say("8. Who left, why, and what they paid")
        self._show.run("audit", *self._here, "--html", page)

    def _ask_about_payments(self) -> None:
        self._show.say(
            "9. A payment failed two days ago: say so plainly, and lead to another card",
            "A journey takes what happens after it starts, so it is started as of three days ago.",
        )
        self._show.run("starters", "failed-payment", *self._here)
        before = (SystemClock().now() - timedelta(days=3)).isoformat(timespec="minutes")
        self._show.run("start", "failed-payment", *self._here, "--as-of", before, "--yes")
        self._show.run("tick", *self._here)

    def _write_to_who_left(self) -> str:
        """Start the journey for those who left; return a link that one of them got."""
        self._show.say("10. Write to those who left; the button brings them back by one press")
        self._show.run("starters", "subscription-back", *self._here)
        self._show.run("start", "subscription-back", *self._here, "--yes")
        self._show.run("tick", *self._here)
        outbox = self._folder / "state" / "outbox"
        for path in sorted(outbox.rglob("*.eml"), key=lambda one: one.stat().st_mtime):
            mail = message_from_bytes(path.read_bytes(), policy=default)
            text = mail.get_body(("plain",))
            if text is None or "payment" in str(mail["Subject"]):
                continue
            if found := re.search(rf"{self._portal}/s/\S+", text.get_content()):
                self._show.tell(f"To {mail['To']}: {mail['Subject']}")
                return found[0].rstrip(".,)>")
        raise WorkError(f"no mail with a way back was written to {outbox}")

    def _come_back(self, link: str, system: OwnSystem) -> None:
        self._show.say("11. The reader opens the link, and presses the button")
        shown = _fetch(link)
        price = PRICE.search(shown)
        self._show.tell(f"The page says: {_heading(shown)} {unescape(price[1]) if price else ''}")
        done = _fetch(link, dict(HIDDEN.findall(shown)))
        self._show.tell(f"and then: {_heading(done)}")
        told = system.wait()
        self._show.tell(f"The club's own system was told: {json.dumps(told)}")

    def _tell_what_came(self) -> None:
        self._show.say("12. What came of it")
        self._show.run("pull", *self._here)
        page = str(self._reports / "club-back.html")
        self._show.run("report", "subscription-back", *self._here, "--html", page)

    @contextmanager
    def _billing(self) -> Iterator[Mapping[str, Any]]:
        """Run the made-up biller; it says where it is."""
        notices = f"{self._portal}/v1/notices/stripe"
        arguments = ("-m", "rekindle.testing.biller", "--people", str(self._people))
        self._show.say(
            "7. A club that lives by subscriptions",
            "Its biller is made up: it runs on this machine and speaks as Stripe does.",
        )
        self._show.name(" ".join(("python", *arguments, "--tell", notices)))
        with _running([sys.executable, *arguments, "--tell", notices]) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise WorkError("the made-up biller did not begin")
            yield json.loads(line)

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """Run the pages of the club until the reader is back."""
        self._show.name(self._show.shown("up", *self._here))
        command = [sys.executable, "-m", "rekindle", "up", *self._here]
        with _running(command):
            for _ in range(PATIENCE_SECONDS * 5):
                try:
                    _fetch(f"{self._portal}/healthz")
                    break
                except OSError:
                    threading.Event().wait(0.2)
            yield

    @property
    def _here(self) -> tuple[str, str]:
        return "-C", str(self._folder)


class OwnSystem:
    """The club's own system: it takes what it is told, and says so."""

    def __init__(self) -> None:
        self.url, self._has_come = "", threading.Event()
        self._told: Mapping[str, Any] = {}

    def take(self, body: bytes) -> None:
        """Keep what was posted."""
        self._told = json.loads(body)
        self._has_come.set()

    def wait(self) -> Mapping[str, Any]:
        """Return what was posted first.

        Raises:
            WorkError: nothing was in time.
        """
        if not self._has_come.wait(PATIENCE_SECONDS):
            raise WorkError("the club's own system was told nothing")
        return self._told


@contextmanager
def _listening() -> Iterator[OwnSystem]:
    system = OwnSystem()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            system.take(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    system.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield system
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run a program beside; it ends with the block."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def _environment(biller: Mapping[str, Any]) -> Iterator[None]:
    """Let the commands, and what they start, know the keys of the biller."""
    given = {
        "REKINDLE_STRIPE_KEY": biller["key"],
        "REKINDLE_STRIPE_WEBHOOK_SECRET": biller["webhook_secret"],
        "REKINDLE_WEBHOOK_SECRET": HOOK_SECRET,
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _write_cards(path: Path, people: Iterable[str]) -> None:
    """Write who may be written to: everybody the biller knows, with a yes."""
    header = ("customer_id", "email", "country", "email_consent", "email_consent_at")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for person in people:
            writer.writerow((person, f"{person}@example.com", "GB", "yes", "2020-01-01"))


def _fetch(url: str, form: Mapping[str, str] | None = None) -> str:
    """Return a page as a reader gets it; ``form`` is what a button sends."""
    data = None if form is None else urlencode(form).encode()
    with urllib.request.urlopen(url, data=data, timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read().decode())


def _heading(page: str) -> str:
    found = HEADING.search(page)
    return unescape(found[1]).strip() if found else "nothing"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
