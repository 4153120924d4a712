"""Runs a command in this process, as a shell would see it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rekindle.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Return standard output, which has to be one JSON object and nothing else."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


def rekindle(*arguments: str | Path) -> Answer:
    """Run ``rekindle`` with ``arguments``."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    code = stopped.value.code
    assert isinstance(code, int)
    return Answer(code, out.getvalue(), err.getvalue())


def refused(*arguments: str | Path) -> str:
    """Run a command that has to be refused as bad input; return its one message."""
    answer = rekindle(*arguments)
    assert (answer.code, answer.out) == (2, ""), answer
    assert "Traceback" not in answer.err
    _, _, message = answer.err.partition("error: ")
    assert message, answer.err
    return message.strip()
