"""Attention and unknown screens, clicked through in a real browser. Left out where there is none."""

from __future__ import annotations

from django.urls import reverse

from automation import services
from automation.models import Attention
from automation.screens import schema
from automation.screens.recognise import recognise
from tests.automation.test_attention import needy
from tests.automation.test_unknown import NO, OFFER, TITLE
from tests.browser import test_accounts
from tests.factories import make_account

page = test_accounts.page
pytestmark = test_accounts.pytestmark
#: A white picture of one pixel, so that there is something to click on.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63f80f00010101001bb66e600000000049454e44ae426082"
)


def test_what_somebody_has_ticked_is_not_swapped_away_and_others_are(page):
    first = needy()
    page.goto(reverse("console:attention"))
    needy()
    page.wait_for_selector("text=captcha 2", timeout=15_000)
    box = page.locator(f'input.pr-pick[value="{first.pk}"]')
    box.check()
    needy()
    page.wait_for_selector("text=The list has changed.", timeout=15_000)
    assert box.is_checked()
    page.locator(".pr-bulk >> text=Give up").click()
    page.wait_for_selector("text=1 given up")
    assert Attention.objects.open().count() == 2


def test_a_code_is_shown_for_as_long_as_it_is_good(page, monkeypatch):
    monkeypatch.setattr("accounts.totp.PERIOD", 2)
    account = make_account(app="instagram", totp_secret="JBSWY3DPEHPK3PXP")
    needy(account=account, reason="code_refused")
    page.goto(reverse("console:attention"))
    page.click("text=2FA code")
    page.wait_for_selector(".pr-code")
    page.wait_for_selector(".pr-code", state="detached", timeout=5_000)


def test_a_screen_is_described_by_clicks_on_its_picture(page, tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "LOOK_SECONDS", 0)
    monkeypatch.setenv("PHONERACK_SCREENS", str(tmp_path / "own"))
    row = needy(reason="unknown_screen", xml=OFFER, account=make_account(app="instagram"))
    services.Evidence.objects.filter(run=row.run).update(screenshot=DOT)
    page.goto(reverse("console:unknown_screen", args=[row.fingerprint]))
    page.evaluate("document.querySelector('[data-screen] img').style.height = '600px'")
    seen = page.locator("[data-screen]").bounding_box()
    for y in (150, 350):
        page.mouse.click(seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] * y / 2400)
    page.select_option(f"[name=role-{NO}]", "dismiss")
    assert page.locator(f"[name=role-{TITLE}]").input_value() == "shows"
    page.select_option("[name=what]", "new:popup")
    page.fill("[name=name]", "Birthday offer")
    page.click("button[value=try]")
    page.click("button[value=write]")
    page.wait_for_selector("text=1 run made.")
    assert recognise(OFFER).screen == "own.birthday_offer"
