"""Takes pictures of pages by the browser of this machine, and lays them side by side."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, FloatRect, Page, Route, sync_playwright

from rekindle.worker.trying.pictures import find_browser
from tools.pictures.png import write_png
from tools.pictures.products import DRAWN_AT, draw

SCALE = 1.5  # pixels of the picture for each of the page: sharp where screens have two
DESK, PHONE = 660, 390
GAP = 24
TALLEST = 2200
TOP_OF = "one => one.getBoundingClientRect().top + scrollY"
BOTTOM = """(() => {
  const main = document.querySelector("main");
  const bottom = (main ?? document.body).getBoundingClientRect().bottom + scrollY;
  return Math.ceil(bottom) + (main ? 24 : 0);
})()"""
LAY_OUT = Path(__file__).with_name("lay_out.js").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class View:
    """One page as somebody sees it; ``presses`` are the names of buttons to press first.

    ``part`` is from which heading to which, for all of it none.
    """

    url: str
    width: int = DESK
    is_dark: bool = False
    language: str = "en-GB"
    presses: Sequence[str] = ()
    part: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture: views side by side, under a name; not all are in the documentation."""

    name: str
    views: Sequence[View]
    is_shown: bool = True


class Camera:
    """Takes photos into a folder."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser, self._folder = browser, folder

    def take(self, photo: Photo) -> Path:
        """Write one picture and return its file."""
        panes = [b64encode(self._see(view)).decode() for view in photo.views]
        page = self._browser.new_page()
        told = page.evaluate(LAY_OUT, [panes, round(GAP * SCALE)])
        page.close()
        palette, pixels = bytes(told["palette"]), b64decode(told["pixels"])
        file = self._folder / f"{photo.name}.png"
        file.write_bytes(write_png(told["width"], told["height"], palette, pixels))
        return file

    def _see(self, view: View) -> bytes:
        """Return a page as it is seen, from its top to its end or as far as pictures go."""
        context = self._browser.new_context(
            viewport={"width": view.width, "height": 640},
            device_scale_factor=SCALE,
            color_scheme="dark" if view.is_dark else "light",
            locale=view.language,
        )
        context.route(f"{DRAWN_AT}**", _answer_drawn)
        page = context.new_page()
        try:
            page.goto(view.url)
            for name in view.presses:
                _press(page, name)
            clip = _bounds(page, view)
            return page.screenshot(full_page=True, clip=clip)
        finally:
            context.close()


@contextmanager
def open_camera(folder: Path) -> Iterator[Camera]:
    """Yield a camera that writes into ``folder``.

    Raises:
        SystemExit: this machine has no Chromium.
    """
    path = find_browser()
    if path is None:
        raise SystemExit("there is no chromium on the PATH; Debian's package is called chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # Root has no sandbox to run it in.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Camera(browser, folder)
        browser.close()


def _bounds(page: Page, view: View) -> FloatRect:
    """Return what of a page is shown, in a window as people have it: pages follow its height."""
    top, bottom = 0.0, float(page.evaluate(BOTTOM))
    if view.part is not None:
        first, last = (
            page.evaluate(TOP_OF, page.get_by_role("heading", name=name).element_handle())
            for name in view.part
        )
        top, bottom = first - GAP, last - 8
    return {"x": 0, "y": top, "width": view.width, "height": min(bottom - top, TALLEST)}


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()
    page.wait_for_load_state()


def _answer_drawn(route: Route) -> None:
    name = urlsplit(route.request.url).path.rpartition("/")[2]
    route.fulfill(body=draw(name), content_type="image/svg+xml")
