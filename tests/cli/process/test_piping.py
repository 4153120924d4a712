"""Whoever reads the output may leave at any moment, and the work goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.cli.process.piping import PatientFile

RUN = "from rekindle.cli import main; main()"


def run(*arguments: str, stdout: int, stderr: int) -> int:
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.run(command, stdout=stdout, stderr=stderr, check=False).returncode


def read_all(file: int) -> bytes:
    with open(file, "rb") as reader:
        return reader.read()


@pytest.fixture
def unread() -> int:
    """Return the writing end of a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_what_nobody_reads_is_dropped(unread: int) -> None:
    with PatientFile(unread, "w") as file:
        assert file.write(b"a line\n") == len(b"a line\n")
        assert file.write(b"another\n") == len(b"another\n")


def test_what_is_read_arrives() -> None:
    reader, writer = os.pipe()
    with PatientFile(writer, "w") as file:
        file.write(b"a line\n")
    assert read_all(reader) == b"a line\n"


@pytest.mark.long
def test_a_command_outlives_the_reader_of_its_output(unread: int) -> None:
    reader, writer = os.pipe()
    assert run("schema", "journey", stdout=unread, stderr=writer) == 0
    os.close(writer)
    os.close(unread)
    assert read_all(reader) == b""


@pytest.mark.long
def test_a_command_outlives_the_reader_of_its_complaints(unread: int, tmp_path: Path) -> None:
    assert run("audit", "-C", str(tmp_path), stdout=unread, stderr=unread) == 2
    os.close(unread)


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_output_that_cannot_be_written_is_a_failure() -> None:
    reader, writer = os.pipe()
    with open("/dev/full", "wb") as full:
        assert run("schema", "journey", stdout=full.fileno(), stderr=writer) == 1
    os.close(writer)
    assert read_all(reader).count(b"No space left on device") == 1
