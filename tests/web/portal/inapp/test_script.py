"""What the script does in a page, by a real browser: shown, read, clicked, put away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rekindle.web.portal.inapp import SCRIPT
from rekindle.worker import Showing
from rekindle.worker.trying.pictures import find_browser
from tests.web.api.fake_intake import NOW
from tests.web.api.inapp.fake_kept import HOUR, KEY
from tests.web.portal.inapp.shop_page import ShopPage, serving_shop
from tests.web.portal.visitor import Visitor

EVIL = '<img src=x onerror="document.title=1">'
needs_browser = pytest.mark.skipif(find_browser() is None, reason="no Chromium is here")


def message(key: str = KEY, **parts: str) -> Showing:
    given = {"title": "Hello Ada", "body": "Your size is back.", "url": "/back", **parts}
    return Showing(key, given, NOW + HOUR)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Root has no sandbox to run it in.
        found = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def shop() -> Iterator[ShopPage]:
    with serving_shop() as shop:
        shop.kept.now_shown = message()
        yield shop


@pytest.fixture
def page(browser: Browser, shop: ShopPage, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield a page whose clock is moved, which complains of nothing.

    It is closed before the shop's server is, which would leave it without an answer.
    """
    assert shop.url
    options: dict[str, Any] = getattr(request, "param", {})
    context = browser.new_context(**{"viewport": {"width": 1000, "height": 700}, **options})
    page, troubles = context.new_page(), list[str]()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    yield page
    context.close()
    assert [one for one in troubles if "favicon" not in one] == []


@needs_browser
def test_a_dialog_is_labelled_takes_the_focus_and_gives_it_back(page: Page, shop: ShopPage) -> None:
    shop.kept.now_shown = message(title=EVIL, body=f"{EVIL}\n{{{{ x }}}}")
    page.goto(shop.url)
    dialog = page.get_by_role("dialog", name=EVIL)
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("paragraph")).to_have_text(f"{EVIL}\n{{{{ x }}}}")
    expect(dialog.get_by_role("link", name="Open")).to_be_focused()
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    assert page.title() == "Shop"
    assert page.locator("img").count() == 0


@needs_browser
def test_it_is_told_as_shown_once_it_was_seen_for_a_second(page: Page, shop: ShopPage) -> None:
    page.goto(shop.url)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.clock.run_for(900)
    assert shop.kept.words == []
    for _ in range(3):
        page.clock.run_for(2000)
    assert shop.kept.hears(lambda: shop.kept.words == ["shown"])


@needs_browser
@pytest.mark.parametrize("look", ["dialog", "banner"])
@pytest.mark.parametrize("how", ["button", "Escape"])
def test_putting_it_away_ends_it(page: Page, shop: ShopPage, look: str, how: str) -> None:
    shop.look = look
    page.goto(shop.url)
    box = page.get_by_role("dialog" if look == "dialog" else "region", name="Hello Ada")
    expect(box).to_be_visible()
    close = box.get_by_role("button", name="Close")
    if how == "button":
        close.click()
    else:
        close.focus()
        page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    assert shop.kept.hears(lambda: shop.kept.words == ["dismissed"])
    page.clock.run_for(5000)
    assert shop.kept.words == ["dismissed"]


@needs_browser
def test_a_click_leads_on_and_is_told(page: Page, shop: ShopPage) -> None:
    page.goto(shop.url)
    page.get_by_role("link", name="Open").click()
    page.wait_for_url(f"{shop.url}/back")
    assert shop.kept.hears(lambda: shop.kept.words == ["clicked"])


@needs_browser
@pytest.mark.parametrize("url", ["", "javascript:document.title=1", "data:text/html,x", "app://x"])
def test_what_is_no_page_is_no_link(page: Page, shop: ShopPage, url: str) -> None:
    shop.kept.now_shown = message(url=url)
    page.goto(shop.url)
    expect(page.get_by_role("button", name="Close")).to_be_visible()
    assert page.get_by_role("link").count() == 0


@needs_browser
def test_a_banner_leaves_the_focus_where_it_is(page: Page, shop: ShopPage) -> None:
    shop.look, shop.language = "banner", "de-AT"
    page.goto(shop.url)
    expect(page.get_by_role("region", name="Hello Ada")).to_be_visible()
    expect(page.get_by_role("link", name="Ansehen")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    page.locator("#first").click(timeout=2000)


@needs_browser
def test_what_is_over_meanwhile_is_gone_when_the_page_is_looked_at_again(
    page: Page, shop: ShopPage
) -> None:
    page.goto(shop.url)
    expect(page.get_by_role("dialog", name="Hello Ada")).to_be_visible()
    look_again = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(look_again)
    assert shop.kept.hears(lambda: shop.kept.asked == 2)
    expect(page.get_by_role("dialog", name="Hello Ada")).to_be_visible()
    shop.kept.now_shown = message("cd" * 32, title="Another")
    page.evaluate(look_again)
    expect(page.get_by_role("dialog", name="Another")).to_be_visible()
    assert page.get_by_role("dialog").count() == 1
    shop.kept.now_shown = None  # they bought
    page.evaluate(look_again)
    expect(page.get_by_role("dialog")).to_have_count(0)


@needs_browser
def test_another_person_is_asked_for_by_another_token(page: Page, shop: ShopPage) -> None:
    shop.user = "bob"
    page.goto(shop.url)
    assert shop.kept.hears(lambda: shop.kept.asked == 1)
    assert page.get_by_role("dialog").count() == 0
    shop.user = "ada"
    token = shop.html().partition('data-token="')[2].partition('"')[0]
    page.evaluate("(token) => window.rekindleInApp(token)", token)
    expect(page.get_by_role("dialog", name="Hello Ada")).to_be_visible()


SMALL = {"viewport": {"width": 320, "height": 480}, "color_scheme": "dark"}


@needs_browser
@pytest.mark.parametrize("look", ["dialog", "banner"])
@pytest.mark.parametrize("page", [SMALL | {"reduced_motion": "reduce"}], indirect=True)
def test_a_phone_a_dark_screen_and_little_motion_are_respected(
    page: Page, shop: ShopPage, look: str
) -> None:
    shop.look = look
    shop.kept.now_shown = message(title="W" * 60, body="Long words. " * 120)
    page.goto(shop.url)
    box = page.locator("rekindle-message .box")
    expect(box).to_be_visible()
    seen = box.bounding_box()
    assert seen is not None
    assert seen["x"] >= 0
    assert seen["y"] >= 0
    assert seen["x"] + seen["width"] <= 320
    assert seen["y"] + seen["height"] <= 480
    style = "(box) => [getComputedStyle(box).backgroundColor, getComputedStyle(box).animationName]"
    assert box.evaluate(style) == ["rgb(29, 37, 40)", "none"]
    box.get_by_role("button").scroll_into_view_if_needed()
    expect(box.get_by_role("button")).to_be_in_viewport()


def test_the_script_is_small_the_same_for_all_and_trusts_no_markup(visitor: Visitor) -> None:
    answer = visitor.ask("GET", "/in-app/1.js")
    assert (answer.status, answer.body.encode()) == (200, SCRIPT)
    assert len(SCRIPT) <= 5000
    for word in (b"innerHTML", b"eval(", b"document.write", b".style.", b"cookie", b"localStorage"):
        assert word not in SCRIPT
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert visitor.ask("GET", "/in-app/2.js").status == 404
