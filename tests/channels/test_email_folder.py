"""The folder: one file a message, whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.channels import build_outlet, find_outlet
from rekindle.channels.email.settings import EmailSettings
from rekindle.channels.email.writing import OutgoingMail
from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import FOR_EVER
from tests.channels.postbox import Mailing


def test_a_message_sent_again_replaces_itself(tmp_path: Path, mail: OutgoingMail) -> None:
    outlet = Mailing(build_outlet("email_folder", EmailSettings(), base=tmp_path, secrets={}))
    assert find_outlet("email_folder")[1].capabilities.idempotent_for == FOR_EVER
    assert outlet.send(mail) == outlet.send(mail)
    assert [p.name for p in (tmp_path / "state/outbox").iterdir()] == [f"{mail.key}.eml"]


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path, mail: OutgoingMail) -> None:
    (tmp_path / "state").write_text("in the way")
    outlet = Mailing(build_outlet("email_folder", EmailSettings(), base=tmp_path, secrets={}))
    with pytest.raises(TemporaryDeliveryError, match="cannot be written"):
        outlet.send(mail)
