"""The simulated TikTok, driven by uiautomator2 through every way that a login can go."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
import pytest

from tests.devices.simulator.conftest import PASSWORD, SECRET, TIKTOK, Driver, app

Drive = Callable[..., Driver]


def start(drive: Drive, **values: object) -> Driver:
    """A phone with TikTok in front."""
    phone = drive(app("tiktok", **values))
    phone.u2.app_start(TIKTOK)
    return phone


def at_password(drive: Drive, name: str, **values: object) -> Driver:
    """A phone that has been given a user name."""
    phone = start(drive, **values)
    phone.tap("Profile")
    phone.await_screen("tt.profile_logged_out")
    phone.tap("Log in")
    phone.await_screen("tt.login_sheet")
    phone.tap("Use phone / email / username")
    phone.await_screen("tt.login_phone_tab")
    phone.tap("Email / Username")
    phone.await_screen("tt.login_email_tab")
    phone.fields().set_text(name)
    phone.tap("Continue")
    return phone


def log_in(drive: Drive, name: str, password: str = "pw") -> Driver:
    """A phone that has been given a user name and a password."""
    phone = at_password(drive, name)
    phone.await_screen("tt.login_password")
    phone.fields().set_text(password)
    phone.u2(text="Log in").click()
    return phone


def test_a_login_leads_to_the_own_profile(drive: Drive) -> None:
    phone = log_in(drive, "bob@demo.example", PASSWORD)
    phone.await_screen("tt.save_login_info")
    phone.tap("Not now")
    phone.await_screen("tt.home")
    phone.tap("Profile")
    phone.await_screen("tt.own_profile")
    texts = phone.texts()
    assert {"@bob.demo", "Bob", "Profile menu", "12.3K", "99K", "10"} <= set(texts)
    assert texts.index("Following") < texts.index("Followers") < texts.index("Likes")
    assert phone.u2(resourceIdMatches=".*:id/cover").count == 7
    assert phone.signed_in(TIKTOK) == ["bob.demo"]


@pytest.mark.parametrize(
    ("name", "password", "screen", "text"),
    [
        ("bob.demo", "wrong", "tt.wrong_password", "Incorrect account or password"),
        ("nobody", "pw", "tt.wrong_password", "Incorrect account or password"),
        ("captcha.demo", "pw", "tt.captcha", "Drag the slider to fit the puzzle"),
        ("mail.demo", "pw", "tt.verify_code", "Enter 6-digit code"),
        ("totp.demo", "pw", "tt.verify_code", "Enter the code from your authenticator app"),
        ("odd.demo", "pw", "tt.2step", "Verify identity"),
        ("fast.demo", "pw", "tt.too_many_attempts", "Maximum number of attempts reached. Try again later."),
        (
            "gone.demo",
            "pw",
            "tt.banned",
            "This account was banned due to multiple Community Guidelines violations.",
        ),
    ],
)
def test_the_service_may_say_no(drive: Drive, name: str, password: str, screen: str, text: str) -> None:
    phone = log_in(drive, name, password)
    phone.await_screen(screen)
    assert text in phone.texts()
    assert phone.signed_in(TIKTOK) == []


def test_the_captcha_is_a_web_page_that_nothing_leads_on_from(drive: Drive) -> None:
    phone = log_in(drive, "captcha.demo")
    phone.await_screen("tt.captcha")
    slider = phone.u2(resourceId="secsdk-captcha-drag-wrapper")
    assert slider.exists
    slider.click()
    phone.u2.press("enter")
    assert phone.screen == "tt.captcha"


def test_an_unknown_email_is_refused_before_the_password(drive: Drive) -> None:
    phone = at_password(drive, "nobody@demo.example")
    assert phone.screen == "tt.login_email_tab"
    assert "Email address isn't registered yet" in phone.texts()


@pytest.mark.parametrize(("name", "code"), [("mail.demo", "246810"), ("totp.demo", "")])
def test_the_right_code_lets_in(drive: Drive, name: str, code: str) -> None:
    phone = log_in(drive, name)
    phone.await_screen("tt.verify_code")
    phone.fields().set_text("111111")
    phone.tap("Continue")
    assert "Incorrect code" in phone.texts()
    phone.fields().set_text(code or pyotp.TOTP(SECRET).now())
    phone.tap("Continue")
    phone.await_screen("tt.save_login_info")


def test_continue_waits_for_a_user_name_and_the_save_box_is_checked(drive: Drive) -> None:
    phone = start(drive)
    phone.tap("Profile")
    phone.tap("Sign up")
    phone.await_screen("tt.signup_sheet")
    phone.tap("Already have an account? Log in")
    phone.tap("Use phone / email / username")
    assert not phone.u2(text="Continue").info["enabled"]
    box = phone.u2(className="android.widget.CheckBox")
    assert box.info["checked"]
    box.click()
    assert not box.info["checked"]
    phone.tap("Email / Username")
    assert phone.fields().get_text() == "Email or username"
    phone.fields().set_text("bob.demo")
    assert phone.u2(text="Continue").info["enabled"]


def test_ids_differ_between_versions(drive: Drive) -> None:
    ids = []
    for version in ("43.1.4", "47.0.3"):
        phone = start(drive, version=version, signed_in=["bob.demo"])
        phone.tap("Profile")
        ids.append(phone.u2(text="@bob.demo").info["resourceName"])
    assert all(re.fullmatch(rf"{TIKTOK}:id/\w{{3}}", one) for one in ids)
    assert ids[0] != ids[1]


def test_accounts_are_switched_and_added_in_the_sheet(drive: Drive) -> None:
    phone = start(drive, signed_in=["bob.demo", "mail.demo"])
    phone.tap("Profile")
    phone.tap("Bob")
    phone.await_screen("tt.switch_account_sheet")
    assert {"Switch account", "bob.demo", "mail.demo", "@bob.demo", "Bottom sheet"} <= set(phone.texts())
    phone.tap("mail.demo")
    phone.await_screen("tt.own_profile")
    assert phone.signed_in(TIKTOK) == ["mail.demo", "bob.demo"]
    phone.tap("mail.demo")
    phone.tap("Add account")
    phone.await_screen("tt.login_sheet")


def test_terms_come_once(drive: Drive) -> None:
    phone = start(drive, popups=["terms"])
    phone.await_screen("tt.popups")
    phone.tap("Agree and continue")
    phone.await_screen("tt.home")
    phone.u2.app_stop(TIKTOK)
    phone.u2.app_start(TIKTOK)
    phone.await_screen("tt.home")


def test_the_update_prompt_has_no_words(drive: Drive) -> None:
    phone = start(drive, popups=["update"])
    nodes = [
        node
        for node in phone.u2(packageName=TIKTOK).info_list()
        if node["text"] or node["contentDescription"]
    ]
    assert nodes == []


def test_the_app_speaks_french(drive: Drive) -> None:
    phone = start(drive, language="fr", signed_in=["bob.demo"])
    phone.tap("Profil")
    assert {"Suivis", "Followers", "J'aime", "12,3\u00a0k", "Menu du profil"} <= set(phone.texts())
