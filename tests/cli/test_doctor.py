"""``rekindle doctor`` finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rekindle.cli import main
from rekindle.ledger import ApiKeys, Scope, Stops
from rekindle.runtime import Workspace
from tests.cli.commands import refused, rekindle
from tests.runtime.conftest import begun_shop, imported_shop  # noqa: F401 - fixtures
from tests.runtime.shops import Team, add_section, close_ledgers, set_key


@pytest.fixture
def shop(begun_shop: Path, tmp_path: Path) -> Iterator[Path]:  # noqa: F811
    """Yield a shop at work, nobody's process."""
    folder = tmp_path / "shop"
    Team.copy(begun_shop, folder)
    yield folder
    close_ledgers()


@pytest.fixture
def examined(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], tuple[int, dict[str, str]]]:
    """Return what asks the doctor: the exit code, and what is not well by what it is about."""

    def examine(folder: Path) -> tuple[int, dict[str, str]]:
        with pytest.raises(SystemExit) as end:
            main(["doctor", "--json", "-C", str(folder)])
        lines = json.loads(capsys.readouterr().out)["lines"]
        close_ledgers()
        return int(end.value.code or 0), {
            one["about"]: f"{one['found']}; {one['remedy']}"
            for one in lines
            if one["state"] != "well"
        }

    return examine


Examined = Callable[[Path], tuple[int, dict[str, str]]]


@pytest.mark.long
def test_a_shop_of_another_year_is_only_told_its_age(shop: Path, examined: Examined) -> None:
    code, found = examined(shop)
    assert code == 3
    assert set(found) == {"worker"}  # its clock was moved; the last pass is long ago
    assert "start `rekindle up`" in found["worker"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("harm", "about", "word"),
    [
        (lambda shop: (shop / "state/secret").unlink(), "secret", "it is gone"),
        (lambda shop: (shop / "state/secret").write_text("x" * 30), "secret", "another one"),
        (lambda shop: shutil.rmtree(shop / "state/lake"), "facts", "rekindle import"),
        (lambda shop: (shop / "state/ledger.mark").unlink(), "restore", "pause the journeys"),
        (lambda shop: (shop / "state/ledger.mark").write_text("{"), "restore", "cannot be read"),
        (lambda shop: (shop / "templates/nudge.mjml").unlink(), "templates", "nudge"),
        (lambda shop: set_key(shop, "postal_address", '""'), "email", "postal_address"),
        (
            lambda shop: add_section(shop, '[ledger]\nurl = "postgresql://nobody@127.0.0.1:9/x"'),
            "ledger",
            "cannot be reached",
        ),
    ],
)
def test_what_is_wrong_is_found(
    shop: Path, examined: Examined, harm: Callable[[Path], object], about: str, word: str
) -> None:
    harm(shop)
    code, found = examined(shop)
    assert word in found[about]
    assert code in (1, 3)
    assert not (shop / "state/secret").exists() or "gone" not in found.get("secret", "")


@pytest.mark.long
@pytest.mark.parametrize("given", ["double_opt_in = true", 'ask_before = "30 days"'])
def test_settings_that_wait_for_a_journey_say_so(
    shop: Path, examined: Examined, given: str
) -> None:
    settings = shop / "rekindle.toml"
    settings.write_text(settings.read_text().replace("[consent]", f"[consent]\n{given}"))
    assert "nobody is asked until one does" in examined(shop)[1]["consent"]


@pytest.mark.long
def test_a_key_that_may_do_too_much_is_named(shop: Path, examined: Examined) -> None:
    space = Workspace.open(shop)
    at = space.clock.now()
    ApiKeys(space.ledger).create("page", source="web", scopes=[Scope.BEHAVIOUR], at=at)
    close_ledgers()
    assert "page of the scope behaviour" in examined(shop)[1]["keys"]


@pytest.mark.long
def test_real_mail_is_refused_with_settings_of_a_trial(shop: Path, examined: Examined) -> None:
    set_key(shop, "outlet", '"email_smtp"')
    code, found = examined(shop)
    assert code == 1
    assert "email.smtp.host is not set" in found["email"]
    with pytest.raises(SystemExit) as end:
        main(["worker", "-C", str(shop)])
    assert end.value.code == 2


def test_people_of_the_facts_are_counted_before_the_first_pass(
    imported_shop: Path,  # noqa: F811 - the fixture
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(imported_shop, tmp_path / "shop")
    Workspace.open(tmp_path / "shop").book.told()  # a ledger in which nobody is
    close_ledgers()
    with pytest.raises(SystemExit):
        main(["doctor", "-C", str(tmp_path / "shop")])
    close_ledgers()
    told = capsys.readouterr().out
    assert "of 0 people" not in told
    assert "285 cards in the facts; the first pass carries them into" in told


@pytest.mark.long
def test_a_stopped_outlet_is_told_until_it_is_resumed(shop: Path, examined: Examined) -> None:
    space = Workspace.open(shop)
    Stops(space.ledger).stop("email_folder", space.clock.now(), "535 no")
    close_ledgers()
    code, found = examined(shop)
    assert (code, "535 no" in found["email"]) == (1, True)
    assert "`rekindle outbox resume email_folder`" in found["email"]
    screen = rekindle("status", "--json", "-C", shop)
    (stopped,) = screen.document["ledger"]["stopped"]
    assert (screen.code, stopped["outlet"], stopped["reason"]) == (1, "email_folder", "535 no")

    assert rekindle("outbox", "resume", "email_folder", "-C", shop).code == 0
    code, found = examined(shop)
    assert (code, "one message will try it out" in found["email"]) == (3, True)
    assert "not stopped" in refused("outbox", "resume", "email_smtp", "-C", shop)
