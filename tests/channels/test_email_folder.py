"""The folder: one file a message, whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.channels import OutgoingMail, build_outlet
from rekindle.config import EmailSettings
from rekindle.errors import TemporaryDeliveryError


def test_a_message_sent_again_replaces_itself(tmp_path: Path, mail: OutgoingMail) -> None:
    outlet = build_outlet("email_folder", EmailSettings(), base=tmp_path, secrets={})
    assert outlet.is_idempotent
    assert outlet.send(mail) == outlet.send(mail)
    assert [p.name for p in (tmp_path / "state/outbox").iterdir()] == [f"{mail.key}.eml"]


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path, mail: OutgoingMail) -> None:
    (tmp_path / "state").write_text("in the way")
    outlet = build_outlet("email_folder", EmailSettings(), base=tmp_path, secrets={})
    with pytest.raises(TemporaryDeliveryError, match="cannot be written"):
        outlet.send(mail)
