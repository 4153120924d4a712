"""What Ibis remembers of equal expressions, made safe for several threads.

Ibis 12.0 keeps in `Comparable.__cache__` which nodes are equal, by their addresses in
memory, and forgets a node as it is freed. Neither takes a lock: where a thread compares while
another one frees, an address stays behind, the next node that is made there counts as equal
to a stranger, and a question is asked that nobody built.
"""

from __future__ import annotations

import threading
from typing import Any

from ibis.common.bases import Comparable


def compare_safely() -> None:
    """Let every thread of this process compare Ibis expressions without harm to another."""
    # Held here and not by name: nodes are freed also while the interpreter ends, after names.
    cache = Comparable.__cache__
    # A node may be freed in the middle of another's comparison, by the same thread.
    lock = threading.RLock()

    def are_equal(self: Any, other: Any) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return False
        known = cache.get(id(self))
        # Both are alive, so what stands under their addresses is of them: no lock to read it.
        answer = None if known is None else known.get(id(other))
        if answer is None:
            answer = bool(self.__equals__(other))
            with lock:
                cache.setdefault(id(self), {})[id(other)] = answer
                cache.setdefault(id(other), {})[id(self)] = answer
        return answer

    def forget(self: Any) -> None:
        own = id(self)
        with lock:
            for other in cache.pop(own, ()):
                answers = cache[other]
                del answers[own]
                if not answers:
                    del cache[other]

    Comparable.__eq__ = are_equal
    Comparable.__del__ = forget
