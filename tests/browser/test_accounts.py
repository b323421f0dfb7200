"""The account page of the user's guide, clicked through in a real browser. Left out where there is none."""

from __future__ import annotations

import os
import shutil

import pytest
from django.urls import reverse

from accounts.models import Account
from automation.models import Run
from devices.models import Device
from tests.automation.rows import host_with_key, run_on
from tests.factories import make_account, make_device
from tests.own_scripts import GREET

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def page(live_server, admin_client, monkeypatch):
    """A browser tab of somebody who is signed in as the administrator."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(base_url=live_server.url, locale="en")
        cookie = admin_client.cookies["phonerack_session"]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        tab = context.new_page()
        tab.errors = []
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        yield tab
        browser.close()
    assert tab.errors == []


def test_an_account_is_added_put_on_a_phone_and_toggled(page):
    phone = make_device(label="7", host=host_with_key())
    page.goto(reverse("admin:accounts_account_changelist"))
    page.goto(reverse("admin:accounts_account_add"))
    page.fill("[name=username]", "@mila")
    page.fill("[name=email]", "mila@example.org")
    page.locator("input[type=password]").first.fill("a-password")
    page.select_option("[name=app]", "tiktok")
    page.select_option("[name=device]", str(phone.pk))
    page.click("[name=_save]")
    page.wait_for_selector("#result_list")
    account = Account.objects.get()
    assert (account.username, account.device, account.is_logged_in, account.is_enabled) == (
        "mila", phone, False, True,
    )  # fmt: skip
    page.click("text=Not logged in")
    page.wait_for_selector("#result_list >> text=/^Logged in/i")
    page.click("#result_list >> text=/^Enabled/i")
    page.wait_for_selector("#result_list >> text=/^Disabled/i")
    account.refresh_from_db()
    assert (account.is_logged_in, account.is_enabled) == (True, False)
    assert "a-password" not in page.content()


def test_ticked_accounts_are_logged_in_with_one_action(page):
    make_account(device=make_device(host=host_with_key()))
    page.goto(reverse("admin:accounts_account_changelist"))
    page.check("tr input.action-select")
    page.select_option("select[name=action]", "log_in")
    page.click("button[name=index]")
    page.wait_for_selector("text=1 run made.")
    assert Run.objects.get().script == "login"


def test_a_list_brings_itself_up_to_date_and_keeps_what_is_ticked(page):
    first, second = run_on(), run_on()
    page.goto(reverse("admin:automation_run_changelist"))
    box = page.locator(f'tr input.action-select[value="{first.pk}"]')
    box.check()
    Device.objects.filter(pk=second.device_id).update(connection="offline")
    page.wait_for_selector("#result_list >> text=is offline: check its cable", timeout=15_000)
    assert box.is_checked()
    run_on()
    page.wait_for_selector("text=The list has changed.", timeout=15_000)
    assert box.is_checked()


def test_the_overview_shows_a_phone_that_goes_offline_without_a_reload(page):
    phone = make_device(host=host_with_key())
    page.goto(reverse("admin:index"))
    page.evaluate("window.stays = true")
    Device.objects.filter(pk=phone.pk).update(connection="offline")
    page.wait_for_selector("a.pr-c-offline", timeout=10_000)
    assert page.evaluate("window.stays")


def test_the_form_of_a_campaign_shows_the_options_of_the_chosen_script_alone(page, load_own):
    assert load_own(GREET) == []
    page.goto(reverse("admin:automation_campaign_add"))
    times = page.locator("[name=option-greet-times]")
    page.select_option("[name=script]", "login")
    assert not times.is_visible()
    page.select_option("[name=script]", "greet")
    assert times.is_visible()
