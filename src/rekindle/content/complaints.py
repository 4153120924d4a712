"""What is wrong with a template, in words of ours: where, what, and what to write instead.

The Liquid library says what its parser expected, which helps those who know its parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from liquid import Environment
from liquid.exceptions import LiquidError

BLOCKS = ("if", "unless", "case", "for", "tablerow", "capture", "ifchanged", "comment", "doc")
INSIDE = ("else", "elsif", "when", "break", "continue")
MISSING = "a name or a value is missing here"
WORDS: tuple[tuple[str, str], ...] = (
    (r"expected '\}\}', found end of file", "'{{' is not closed; write {{ name }}"),
    (r"expected '%\}', found end|closing delimiter", "'{%' is not closed; write {% if name %}"),
    (r"expected tag (end\w+), found", r"the block that begins here has no {% \1 %}"),
    (r"found word$|found string$|found integer$|found float$",
     "two values stand side by side; names have no spaces, and a filter begins with '|'"),
    (r"found '='$", "'=' compares nothing; write '=='"),
    (r"unexpected '&'|found dpipe", "join conditions by 'and' or 'or'; filters begin with '|'"),
    (r"unexpected [\"']['\"][\"']", "a quote is not closed"),
    (r"unexpected '\{'", "there is a brace too many; write {{ name }}"),
    (r"missing expression|found end of expression|path segment", MISSING),
)  # fmt: skip
ASSIGN = re.compile(r"expected '=', found")
TAG = re.compile(r"unexpected tag '(\w+)'")
_PIECE = re.compile(r"\{\{.*?\}\}|\{%-?\s*(?P<tag>\w+).*?%\}", re.DOTALL)


def say_liquid(error: LiquidError, tags: Iterable[str]) -> str:
    """Return what is wrong, in words of ours where there are some; ``tags`` are the known."""
    told = str(error.message)
    if (tag := TAG.search(told)) is not None:
        return _say_tag(tag[1], tags)
    if ASSIGN.search(told):
        return "after assign, write a name, '=' and a value: {% assign name = 'value' %}"
    for pattern, words in WORDS:
        if (found := re.search(pattern, told)) is not None:
            return found.expand(words) if r"\1" in words else words
    return told


def find_line(source: str, sandbox: Environment) -> int | None:
    """Return the line of the first piece of Liquid that is wrong by itself."""
    for piece in _PIECE.finditer(source):
        tag = piece["tag"]
        if tag is not None and (tag.startswith("end") or tag in INSIDE):
            continue
        end = f"{{% end{tag} %}}" if tag in BLOCKS else ""
        if _is_wrong(sandbox.from_string, piece[0] + end):
            return source.count("\n", 0, piece.start()) + 1
    return None


def _say_tag(name: str, tags: Iterable[str]) -> str:
    if name.startswith("end"):
        return f"{{% {name} %}} ends no block that is open here"
    if name in INSIDE:
        return f"{{% {name} %}} stands in no block"
    if name in ("include", "render"):
        return f"{{% {name} %}} is not there: a template reads no other"
    near = get_close_matches(name, [*tags, *INSIDE], 1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no tag {name!r}{hint}"


def _is_wrong(compile_: Callable[[str], object], text: str) -> bool:
    try:
        compile_(text)
    except LiquidError:
        return True
    return False
