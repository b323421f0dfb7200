"""Every page in a real browser: none breaks the content policy, none is wider than a phone."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.config.test_roles import MATRIX, address, rows, views  # noqa: F401 - rows is a fixture

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]
#: Not pages: files, parts of pages, and the way out.
NO_PAGES = ("export", "export_csv", "bad_rows", "live", "screenshot", "dump", "logout", "jsi18n")
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def tab(live_server, admin_client, monkeypatch):
    """A tab as wide as a phone, of somebody who is signed in as the administrator."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=live_server.url, locale="nl", viewport=PHONE)
        cookie = admin_client.cookies["phonerack_session"]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        yield context.new_page()
        browser.close()


def test_no_page_breaks_the_content_policy_or_is_wider_than_a_phone(tab, rows):  # noqa: F811
    refused, opened, wide = [], 0, []
    tab.on("console", lambda said: "Content Security" in said.text and refused.append((tab.url, said.text)))
    tab.on("pageerror", lambda error: refused.append((tab.url, str(error))))
    for name, route in views():
        if MATRIX[name][0] != "-" and not name.endswith(NO_PAGES):
            tab.goto(address(route, rows))
            tab.wait_for_timeout(150)
            if tab.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                wide.append(name)
            opened += 1
    assert refused == []
    assert wide == []
    assert opened > 40
