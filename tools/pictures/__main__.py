"""Takes the pictures of the documentation: all of them, or those that are named."""

from __future__ import annotations

import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.testing.biller import running_biller
from tools.pictures.camera import Photo, open_camera
from tools.pictures.mails import mail_photos
from tools.pictures.portal import MONTH, open_portal, portal_photos
from tools.pictures.shop import NOW, open_shop
from tools.source_tree import ROOT

FOLDER = ROOT / "docs" / "images"
# The biller of the pictures takes any.
KEYS = {
    "REKINDLE_STRIPE_KEY": "sk_test_fake",
    "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
}


def main() -> None:
    """Take the pictures that were asked for, and say what was written."""
    parser = ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument("names", nargs="*", help="of pictures; `mail-TEMPLATE` is any mail's")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder to write to")
    asked = parser.parse_args()
    with open_photos() as photos, open_camera(asked.out) as camera:
        for photo in photos:
            if photo.name in asked.names if asked.names else photo.is_shown:
                file = camera.take(photo)
                print(f"{file}  {file.stat().st_size / 1000:.0f} KB")


@contextmanager
def open_photos() -> Iterator[list[Photo]]:
    """Yield all photos there are, of a shop that is there as long."""
    os.environ.update(KEYS)
    before = MovableClock(NOW - MONTH)
    with tempfile.TemporaryDirectory() as name, running_biller(before) as biller:
        folder = Path(name)
        with open_shop(folder / "shop", biller.url) as shop, open_portal(shop) as site:
            mails = mail_photos(shop, folder / "mails")
            # Now, for nobody may ask the ledger in the thread of a browser.
            yield [*mails, *portal_photos(shop, biller.world, site)]


if __name__ == "__main__":
    main()
