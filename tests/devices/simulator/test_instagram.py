"""The simulated Instagram, driven by uiautomator2 through every way that a login can go."""

from __future__ import annotations

import time
from collections.abc import Callable

import pyotp
import pytest

from tests.devices.simulator.conftest import INSTAGRAM, PASSWORD, SECRET, Driver, app

Drive = Callable[..., Driver]


def start(drive: Drive, **values: object) -> Driver:
    """A phone with Instagram in front."""
    phone = drive(app("instagram", **values))
    phone.u2.app_start(INSTAGRAM)
    return phone


def log_in(phone: Driver, name: str, password: str = "pw") -> None:
    """From the login form on."""
    phone.fields()[0].set_text(name)
    phone.fields()[1].set_text(password)
    phone.tap("Log in")


def at_form(drive: Drive, **values: object) -> Driver:
    """A phone that shows the login form."""
    phone = start(drive, **values)
    phone.tap("I already have an account")
    phone.await_screen("ig.login_form")
    return phone


def test_a_login_leads_to_the_own_profile(drive: Drive) -> None:
    phone = at_form(drive, popups=["notifications"])
    log_in(phone, "anna.demo", PASSWORD)
    phone.await_screen("ig.save_login_info")
    phone.tap("Not now")
    phone.await_screen("ig.nux")
    phone.tap("Skip")
    phone.await_screen("ig.home")
    phone.tap("Profile")
    phone.await_screen("ig.own_profile")
    assert phone.u2(resourceId=f"{INSTAGRAM}:id/action_bar_title").get_text() == "anna.demo"
    assert {"1,234", "56", "7", "1,234followers", "7posts", "Edit profile"} <= set(phone.texts())
    assert phone.signed_in(INSTAGRAM) == ["anna.demo"]


def test_an_email_logs_in_too(drive: Drive) -> None:
    phone = at_form(drive)
    log_in(phone, "ANNA@demo.example", PASSWORD)
    phone.await_screen("ig.save_login_info")
    assert phone.signed_in(INSTAGRAM) == ["anna.demo"]


@pytest.mark.parametrize(
    ("name", "password", "screen", "text"),
    [
        ("anna.demo", "", "ig.dialog_password_required", "Password required"),
        ("anna.demo", "wrong", "ig.wrong_password", "Incorrect password"),
        ("nobody", "pw", "ig.no_such_account", "Can't find account"),
        ("captcha.demo", "pw", "ig.challenge_identity", "Confirm you're human to use your account"),
        ("mail.demo", "pw", "ig.challenge_email_code", "Enter the code we sent to m*****g@demo.example"),
        ("odd.demo", "pw", "ig.challenge_suspicious", "This Was Me"),
        ("gone.demo", "pw", "ig.suspended", "We suspended your account"),
        ("fast.demo", "pw", "ig.rate_limited", "Try Again Later"),
        ("totp.demo", "pw", "ig.2fa_totp", "Go to your authentication app"),
        ("far.demo", "pw", "ig.2fa_approve_elsewhere", "Try another way"),
    ],
)
def test_the_service_may_say_no(drive: Drive, name: str, password: str, screen: str, text: str) -> None:
    phone = at_form(drive)
    log_in(phone, name, password)
    phone.await_screen(screen)
    assert text in phone.texts()
    assert phone.signed_in(INSTAGRAM) == []


def test_a_dialog_leads_back_to_the_form(drive: Drive) -> None:
    phone = at_form(drive)
    log_in(phone, "anna.demo", "wrong")
    phone.tap("Forgot password?")
    assert phone.screen == "ig.wrong_password", "what lies behind a dialog takes no taps"
    phone.tap("OK")
    phone.await_screen("ig.login_form")
    assert phone.fields()[0].get_text() == "anna.demo"


def test_too_many_wrong_passwords_end_in_a_wait(drive: Drive) -> None:
    phone = at_form(drive)
    for _ in range(5):
        log_in(phone, "anna.demo", "wrong")
        phone.await_screen("ig.wrong_password")
        phone.u2.press("back")
    log_in(phone, "anna.demo", PASSWORD)
    phone.await_screen("ig.rate_limited")
    assert phone.u2(resourceIdMatches=".*:id/igds_alert_dialog_headline").exists


def test_a_code_of_the_authenticator_lets_in(drive: Drive) -> None:
    phone = at_form(drive)
    log_in(phone, "totp.demo")
    phone.await_screen("ig.2fa_totp")
    phone.fields().set_text("000000")
    phone.tap("Continue")
    assert "This code isn't right. Check the code and try again." in phone.texts()
    phone.fields().set_text(pyotp.TOTP(SECRET).now())
    phone.tap("Continue")
    phone.await_screen("ig.save_login_info")


def test_another_way_leads_from_the_notification_to_the_code(drive: Drive) -> None:
    phone = at_form(drive)
    log_in(phone, "far.demo")
    phone.tap("Try another way")
    phone.await_screen("ig.2fa_choose_method")
    phone.tap("Authentication app")
    phone.tap("Continue")
    phone.await_screen("ig.2fa_totp")
    phone.fields().set_text(pyotp.TOTP(SECRET).now())
    phone.tap("Continue")
    phone.await_screen("ig.save_login_info")


def test_a_person_may_enter_the_code_from_the_email(drive: Drive) -> None:
    phone = at_form(drive)
    log_in(phone, "mail.demo")
    phone.fields().set_text("246810")
    phone.tap("Continue")
    phone.await_screen("ig.save_login_info")


def test_sign_ins_survive_a_force_stop(drive: Drive) -> None:
    phone = at_form(drive)
    log_in(phone, "anna.demo", PASSWORD)
    phone.u2.app_stop(INSTAGRAM)
    assert phone.screen == "os.launcher"
    phone.u2.app_start(INSTAGRAM)
    phone.await_screen("ig.home")


def test_clearing_the_data_signs_everyone_out_and_is_noted(drive: Drive) -> None:
    phone = start(drive, signed_in=["anna.demo"])
    phone.u2.app_clear(INSTAGRAM)
    assert phone.signed_in(INSTAGRAM) == []
    assert "clear_app" in [entry["kind"] for entry in phone.farm.journal("SIM1")]


def test_accounts_are_switched_and_added_in_the_sheet(drive: Drive) -> None:
    phone = start(drive, signed_in=["anna.demo", "totp.demo"])
    phone.tap("Profile")
    phone.u2(resourceId=f"{INSTAGRAM}:id/action_bar_username_container").click()
    phone.await_screen("ig.account_switcher")
    assert phone.u2(description="anna.demo", className="android.view.ViewGroup").info["selected"]
    assert "Edit profile" in phone.texts(), "the profile stays in the dump behind the sheet"
    phone.tap("totp.demo")
    phone.await_screen("ig.own_profile")
    assert phone.signed_in(INSTAGRAM) == ["totp.demo", "anna.demo"]
    phone.u2(resourceId=f"{INSTAGRAM}:id/action_bar_title").click()
    phone.tap("Add Instagram account")
    phone.await_screen("ig.login_form")
    log_in(phone, "far.demo")
    phone.await_screen("ig.2fa_approve_elsewhere")


def test_a_saved_account_is_offered_and_asks_for_its_password_only(drive: Drive) -> None:
    phone = start(drive, saved=["anna.demo"])
    phone.await_screen("ig.landing_saved_one")
    phone.tap("Continue")
    phone.await_screen("ig.login_password_only")
    assert phone.fields().count == 1
    phone.fields().set_text(PASSWORD)
    phone.tap("Log in")
    phone.await_screen("ig.save_login_info")


def test_two_saved_accounts_are_offered_as_a_list(drive: Drive) -> None:
    phone = start(drive, saved=["anna.demo", "totp.demo"])
    phone.await_screen("ig.account_picker")
    phone.tap("Use another profile")
    phone.await_screen("ig.login_form")


def test_an_account_signed_out_from_outside_is_gone(drive: Drive) -> None:
    phone = start(drive, signed_in=["anna.demo"])
    phone.farm.set("SIM1", signed_in={INSTAGRAM: []})
    phone.await_screen("ig.landing")


def test_the_app_speaks_french(drive: Drive) -> None:
    phone = start(drive, language="fr")
    phone.tap("J'ai déjà un compte")
    texts = phone.texts()
    assert {"Nom de profil, e-mail ou numéro de mobile", "Mot de passe", "Se connecter"} <= set(texts)
    assert {"Back", "Home"} <= set(texts), "the language of the app is not that of the phone"


def test_an_answer_takes_its_delay_behind_a_loading_screen(drive: Drive) -> None:
    phone = start(drive, delay=0.3)
    phone.await_screen("ig.landing")
    begun = time.monotonic()
    phone.tap("I already have an account")
    assert phone.screen == "ig.loading"
    phone.await_screen("ig.login_form")
    assert time.monotonic() - begun >= 0.3


def test_the_permission_dialog_has_ids_of_another_package(drive: Drive) -> None:
    phone = start(drive, popups=["permission"])
    phone.await_screen("os.permission")
    deny = phone.u2(resourceId="com.android.permissioncontroller:id/permission_deny_button")
    assert deny.info["packageName"] == "com.google.android.permissioncontroller"
    deny.click()
    phone.await_screen("ig.landing")


def test_a_clone_carries_its_own_package_in_its_ids(drive: Drive) -> None:
    phone = drive(app("instagram"), app("instagram", package="com.instagram.clone", signed_in=["anna.demo"]))
    phone.u2.app_start("com.instagram.clone")
    assert phone.u2(resourceId="com.instagram.clone:id/tab_bar").exists
    assert phone.signed_in(INSTAGRAM) == []
