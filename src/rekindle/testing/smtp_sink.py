"""A mail server in a process of its own that counts what it takes, and misbehaves on request.

For tests that kill workers and for benchmarks: whoever sends may die, the count stays. The
process runs this very file, needs the standard library alone, and ends with its parent.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, cast

MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)
ADDRESS = re.compile(rb"<([^>]*)>")
END = b"\r\n.\r\n"
GREETING = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
ANSWERS = {
    b"EHLO": GREETING,
    b"HELO": b"250 sink\r\n",
    b"MAIL": b"250 2.1.0 fine\r\n",
    b"NOOP": b"250 2.0.0 fine\r\n",
    b"RSET": b"250 2.0.0 fine\r\n",
}
BUSY = b"451 4.3.0 busy, try again in 1 minute\r\n"
NOBODY = b"550 5.1.1 nobody here by that name\r\n"
REFUSED = b"554 5.6.0 not this message\r\n"
NO_RECIPIENT = b"554 5.5.1 for whom?\r\n"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a sink behaves. The shares, from 0 to 1, are of the attempts to deliver.

    The dice are rolled by seed, recipient or message, and attempt, so they fall the same
    in whatever order messages come. Of the connections that break off after the message
    was handed over (``lost_share``), the sink had taken every second message. A trusting
    sink lets a message come before it looks whether anyone is named for it.
    """

    seed: int = 0
    delay_seconds: float = 0.0
    busy_share: float = 0.0
    nobody_share: float = 0.0
    refused_share: float = 0.0
    lost_share: float = 0.0
    is_trusting: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened so far. ``taken`` counts messages by Message-ID without its brackets."""

    connections: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def repeated(self) -> Mapping[str, int]:
        """Return the messages that were taken more than once."""
        return {name: count for name, count in self.taken.items() if count > 1}


class SmtpSink:
    """A running sink, as its parent sees it. It listens on 127.0.0.1 at ``port``."""

    def __init__(self, process: subprocess.Popen[str], manners: Manners, port: int) -> None:
        self._process = process
        self.behave(manners)
        self.port = int(self._ask({"open": port}))

    def behave(self, manners: Manners) -> None:
        """Change the manners, from the next answer on."""
        self._ask({"manners": asdict(manners)})

    def tally(self) -> Tally:
        """Return what was counted so far."""
        found = cast("dict[str, Any]", self._ask({"tally": True}))
        connections = found.pop("connections")
        return Tally(connections, **{name: Counter(counts) for name, counts in found.items()})

    def _ask(self, question: Mapping[str, object]) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("a sink's process is asked by pipes")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def running_sink(manners: Manners = Manners(), *, port: int = 0) -> Iterator[SmtpSink]:
    """Run a sink in a process of its own; ``port`` 0 takes a free one."""
    command = [sys.executable, "-I", __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield SmtpSink(process, manners, port)
        finally:
            process.kill()


class _Server:
    """The sink from the inside: the count, the manners and the dice."""

    def __init__(self) -> None:
        self.manners = Manners()
        self.connections = 0
        self.attempts: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()

    async def answer(self, question: dict[str, Any]) -> object:
        """Do what the parent asks and return the answer."""
        if "tally" in question:
            counts = {name: getattr(self, name) for name in ("taken", "refusals", "lost")}
            return {"connections": self.connections, **counts}
        if "manners" in question:
            self.manners = Manners(**question["manners"])
            return True
        listening = await asyncio.get_running_loop().create_server(
            lambda: _Session(self), "127.0.0.1", question["open"], backlog=512
        )
        return listening.sockets[0].getsockname()[1]

    def judge_recipient(self, address: str) -> bytes:
        """Return the answer to a recipient."""
        manners = self.manners
        if not manners.busy_share and not manners.nobody_share:
            return b"250 2.1.5 fine\r\n"
        roll = self._roll(address)
        if roll < manners.busy_share:
            return self._refuse(address, BUSY)
        if roll < manners.busy_share + manners.nobody_share:
            return self._refuse(address, NOBODY)
        return b"250 2.1.5 fine\r\n"

    def judge_message(self, name: str) -> bytes:
        """Return the answer to a message; none where the connection breaks off instead."""
        manners = self.manners
        if manners.refused_share or manners.lost_share:
            roll = self._roll(name)
            if roll < manners.refused_share:
                return self._refuse(name, REFUSED)
            if (roll := roll - manners.refused_share) < manners.lost_share:
                self.lost[name] += 1
                self.taken[name] += roll < manners.lost_share / 2
                return b""
        self.taken[name] += 1
        return b"250 2.0.0 taken\r\n"

    def _refuse(self, what: str, reply: bytes) -> bytes:
        self.refusals[what] += 1
        return reply

    def _roll(self, what: str) -> float:
        self.attempts[what] += 1
        return Random(f"{self.manners.seed} {what} {self.attempts[what]}").random()


class _Session(asyncio.Protocol):
    """One connection: takes commands line by line and a message as a whole."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._buffer = b""
        self._answers: list[bytes] = []
        self._is_content = self._has_recipient = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections += 1
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._transport.is_closing():
            end = END if self._is_content else b"\r\n"
            part, found, rest = self._buffer.partition(end)
            if not found:
                break
            self._buffer = rest
            if self._is_content:
                self._take(part)
            else:
                self._obey(part)
        if self._answers and not self._transport.is_closing():
            self._transport.write(b"".join(self._answers))
            self._answers.clear()

    def _obey(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"DATA":
            self._is_content = self._has_recipient or self._server.manners.is_trusting
            self._say(b"354 go on\r\n" if self._is_content else NO_RECIPIENT)
            if self._is_content:
                self._buffer = b"\r\n" + self._buffer  # so that an empty message ends too
        elif verb == b"RCPT":
            found = ADDRESS.search(line)
            reply = self._server.judge_recipient(found[1].decode() if found else "")
            self._has_recipient |= reply.startswith(b"250")
            self._say(reply)
        elif verb == b"QUIT":
            self._transport.write(b"221 2.0.0 bye\r\n")
            self._transport.close()
        else:
            self._has_recipient = False
            self._say(ANSWERS.get(verb, b"502 5.5.1 what?\r\n"))

    def _take(self, content: bytes) -> None:
        has_recipient, self._has_recipient, self._is_content = self._has_recipient, False, False
        if not has_recipient:
            self._say(NO_RECIPIENT)
            return
        found = MESSAGE_ID.search(content)
        reply = self._server.judge_message(found[1].decode() if found else "")
        if not reply:
            self._transport.abort()
        elif delay := self._server.manners.delay_seconds:
            asyncio.get_running_loop().call_later(delay, self._transport.write, reply)
        else:
            self._say(reply)

    def _say(self, reply: bytes) -> None:
        """Keep a reply until everything that arrived at once was looked at."""
        self._answers.append(reply)


async def _serve() -> None:
    """Answer the parent's questions, a line each, until it closes the pipe or dies."""
    server, questions = _Server(), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(questions), sys.stdin
    )
    while line := await questions.readline():
        print(json.dumps(await server.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
