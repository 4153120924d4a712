"""The units, the container and its neighbours: what they run exists, and what they say holds."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tests.docs.test_examples import understand
from tools.source_tree import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
SHIM = "#!{python}\nfrom rekindle.cli import main\nmain()\n"


def read_unit(path: Path) -> ConfigParser:
    unit = ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path, encoding="utf-8")
    return unit


def program(folder: Path) -> Path:
    """Write a program that runs Rekindle as this Python has it."""
    path = folder / "rekindle"
    path.write_text(SHIM.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_runs_a_command_that_there_is_with_the_database_password(path: Path) -> None:
    service = read_unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    assert words[0] == "/srv/rekindle/bin/rekindle"
    command = typer.main.get_command(import_module("rekindle.cli").app)
    understand(shlex.join(["rekindle", *words[1:]]), command)
    assert service["EnvironmentFile"] == "/etc/rekindle/rekindle.env"
    given = (DEPLOY / "systemd/rekindle.env").read_text(encoding="utf-8")
    assert re.search(r"^PGPASSFILE=", given, re.MULTILINE)
    assert service["ReadWritePaths"] == service["WorkingDirectory"]


def test_a_stop_is_waited_for_longer_than_it_takes() -> None:
    from rekindle.cli.process.stopping import GRACE_SECONDS

    service = read_unit(DEPLOY / "systemd/rekindle.service")["Service"]
    assert int(service["TimeoutStopSec"]) > GRACE_SECONDS


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    run = program(tmp_path)
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        text = text.replace("/srv/rekindle/bin/rekindle", str(run)).replace("/srv/shop", "/")
        (tmp_path / unit.name).write_text(text.replace("/etc/rekindle", str(tmp_path)))
    units = [str(tmp_path / unit.name) for unit in UNITS if unit.suffix != ".env"]
    command = ["systemd-analyze", "verify", "--man=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "rekindle" in line]) == (
        0,
        [],
    )


def test_only_the_app_is_reached_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    app, db = compose["services"]["app"], compose["services"]["db"]
    assert all(port.startswith("127.0.0.1:") for port in app["ports"])
    assert "ports" not in db
    assert compose["networks"][db["networks"][0]] == {"internal": True}
    assert app["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert {app["restart"], db["restart"]} == {"unless-stopped"}
    assert int(app["stop_grace_period"].removesuffix("s")) >= 60
    assert app["environment"]["PGPASSWORD"] == db["environment"]["POSTGRES_PASSWORD"]


def test_the_image_is_made_of_files_that_there_are_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and line[0] not in "# "]
    copied = [
        name for verb, rest in steps if verb == "COPY" and "--from" not in rest
        for name in rest.split()[:-1]
    ]  # fmt: skip
    assert [name for name in copied if not (ROOT / name).exists()] == []
    locks = re.findall(r"requirements/\S+", " ".join(rest for verb, rest in steps if verb == "RUN"))
    assert len(locks) == 2
    assert all((ROOT / lock).is_file() for lock in locks)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {name.rstrip("/") for name in copied} <= {line.lstrip("!") for line in ignored}
    verbs = [verb for verb, _ in steps]
    assert dict(steps)["USER"] == "rekindle"
    assert verbs.index("USER") < verbs.index("ENTRYPOINT")


@pytest.mark.long
def test_a_container_makes_its_workspace_once_and_runs_what_is_asked(tmp_path: Path) -> None:
    bin_, shop = tmp_path / "bin", tmp_path / "shop"
    bin_.mkdir()
    shop.mkdir()
    program(bin_)
    url = "postgresql://rekindle@db/rekindle"
    given = {"PATH": f"{bin_}:{os.defpath}", "LEDGER_URL": url, "SHOP_TIMEZONE": "Europe/Berlin"}
    command = ["sh", str(DEPLOY / "start.sh"), "--version"]
    for _ in range(2):
        subprocess.run(command, cwd=shop, env=given, check=True, capture_output=True, timeout=120)
    made = tomllib.loads((shop / "rekindle.toml").read_text(encoding="utf-8"))
    assert made["ledger"]["url"] == url
    assert made["portal"]["listen"] == "0.0.0.0:8080"
    assert made["workspace"]["timezone"] == "Europe/Berlin"


def pins(lock: str) -> set[str]:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return set(re.findall(r"^[\w.-]+==\S+(?: ; [^\\\n]+)?", text, re.MULTILINE))


def test_every_lock_holds_what_the_product_needs_in_the_same_version() -> None:
    product = pins("lock.txt")
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[<>=!~ ]", need)[0].lower() for need in needed["dependencies"]}
    assert names <= {pin.partition("==")[0] for pin in product}
    assert product - pins("server.lock") == set()
    assert product - pins("dev.lock") == set()
