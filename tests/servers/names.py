"""A small name server on loopback, for what asks DNS: it knows what it is told, and no more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

TTL = 60


@contextmanager
def name_server(
    texts: Mapping[str, str], *, zones: tuple[str, ...] = (), is_silent: bool = False
) -> Iterator[int]:
    """Answer with a TXT record by name on a free port; yield the port.

    Names under ``zones`` exist without records; any other does not. One that ``is_silent``
    hears and says nothing.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(0.02)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    asked, whom = heard.recvfrom(4096)
                except TimeoutError:
                    continue
                if not is_silent:
                    heard.sendto(_answer(asked, texts, zones), whom)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield heard.getsockname()[1]
        finally:
            is_over.set()
            thread.join(5)


def _answer(asked: bytes, texts: Mapping[str, str], zones: tuple[str, ...]) -> bytes:
    question = dns.message.from_wire(asked)
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.RA | dns.flags.AA
    name = question.question[0].name
    kind = question.question[0].rdtype
    text = texts.get(name.to_text(omit_final_dot=True).casefold())
    if text is not None and kind == dns.rdatatype.TXT:
        pieces = " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
        answer.answer.append(dns.rrset.from_text(name, TTL, "IN", "TXT", pieces))
    elif text is None and name.to_text(omit_final_dot=True).casefold() not in zones:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()
