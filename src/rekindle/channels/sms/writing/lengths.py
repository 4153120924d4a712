"""How many segments a text is sent in, which is what is paid for.

GSM 03.38 packs 160 characters of its alphabet into one message, some of which count twice;
any other character makes the whole text UCS-2, of 70. A longer text is cut, and each part
gives six bytes to say which part it is (3GPP TS 23.038 and 23.040).
"""

from __future__ import annotations

from collections.abc import Sequence

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("\f^{}\\[~]|€")
ONE_GSM, PART_GSM = 160, 153
ONE_UCS, PART_UCS = 70, 67
# What a word processor writes, and a telephone may be spared: one of them would make every
# character of the text cost more than twice as much.
PLAIN = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u200b": "",
        "\u2060": "",
        "\ufeff": "",
        "\t": " ",
    }
)


def count_segments(text: str) -> int:
    """Return how many segments a text is sent in; one for an empty text."""
    sizes = [_gsm_size(letter) for letter in text]
    if all(sizes):
        return _parts(sizes, ONE_GSM, PART_GSM)
    # A character beyond the first plane is two units, which are never parted.
    return _parts([2 if ord(letter) > 0xFFFF else 1 for letter in text], ONE_UCS, PART_UCS)


def fold(text: str) -> str:
    """Return a text with plain quotes, dashes and spaces, if that makes it cheaper."""
    plain = text.translate(PLAIN)
    return plain if count_segments(plain) < count_segments(text) else text


def _gsm_size(letter: str) -> int:
    """Return how many characters of GSM 03.38 a letter takes; 0 where it is none of them."""
    return 1 if letter in BASIC else 2 if letter in TWICE else 0


def _parts(sizes: Sequence[int], one: int, part: int) -> int:
    if sum(sizes) <= one:
        return 1
    count, room = 1, part
    for size in sizes:
        if size > room:
            count, room = count + 1, part
        room -= size
    return count
