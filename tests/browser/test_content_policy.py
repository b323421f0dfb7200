"""No page breaks the content policy: a real browser opens each of them and says what it refused."""

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
NO_PAGES = ("export", "bad_rows", "live", "screenshot", "dump", "logout", "jsi18n")


def test_no_page_breaks_the_content_policy(live_server, admin_client, monkeypatch, rows):  # noqa: F811
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    refused, opened = [], 0
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=live_server.url, locale="en")
        cookie = admin_client.cookies["phonerack_session"]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        tab = context.new_page()
        tab.on(
            "console", lambda said: "Content Security" in said.text and refused.append((tab.url, said.text))
        )
        tab.on("pageerror", lambda error: refused.append((tab.url, str(error))))
        for name, route in views():
            if MATRIX[name][0] != "-" and not name.endswith(NO_PAGES):
                tab.goto(address(route, rows))
                tab.wait_for_timeout(150)
                opened += 1
        browser.close()
    assert refused == []
    assert opened > 40
