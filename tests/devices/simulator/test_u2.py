"""The phone as uiautomator2 drives it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import adbutils
import pytest
import uiautomator2
from uiautomator2 import core
from uiautomator2.exceptions import UiObjectNotFoundError

from tests.devices.simulator.conftest import INSTAGRAM, PASSWORD, Driver, app

Drive = Callable[..., Driver]


@pytest.fixture
def form(drive: Drive) -> Driver:
    """A phone that shows Instagram's login form."""
    phone = drive(app("instagram"))
    phone.u2.app_start(INSTAGRAM)
    phone.tap("I already have an account")
    phone.await_screen("ig.login_form")
    return phone


def test_uiautomator2_connects_and_drives_it_unmodified(drive: Drive) -> None:
    phone = drive(app("instagram"))
    device = uiautomator2.connect(phone.adb)
    assert type(phone.adb) is adbutils.AdbDevice
    device.app_start(INSTAGRAM, wait=True)
    device(description="I already have an account").click()
    device.xpath("Log in").wait(timeout=5)
    assert device.app_current()["package"] == INSTAGRAM
    assert device.window_size() == (1080, 2220)
    assert phone.screen == "ig.login_form"


def test_set_text_keeps_every_character(form: Driver) -> None:
    form.fields()[0].set_text(PASSWORD)
    assert form.fields()[0].get_text() == PASSWORD
    assert PASSWORD in form.texts()


def test_pasting_from_the_clipboard_keeps_every_character(form: Driver) -> None:
    form.u2.xpath('//android.widget.EditText[@password="false"]').set_text(PASSWORD)
    assert form.u2.clipboard == PASSWORD
    assert form.fields()[0].get_text() == PASSWORD


def test_adb_keyboard_types_every_character(form: Driver) -> None:
    form.u2.set_input_ime()
    form.fields()[0].click()
    form.u2.send_keys(PASSWORD, clear=True)
    assert form.u2.current_ime() == "com.github.uiautomator/.AdbKeyboard"
    assert form.fields()[0].get_text() == PASSWORD


def test_an_empty_field_shows_its_hint_and_a_password_bullets(form: Driver) -> None:
    assert "Password" in form.texts()
    form.fields()[1].set_text("four")
    assert form.fields()[1].info["text"] == "••••"
    assert 'hint="Password"' in form.u2.dump_hierarchy()
    form.fields()[1].clear_text()
    assert form.fields()[1].info["text"] == "Password"


def test_a_dump_holds_the_windows_of_the_system_too(form: Driver) -> None:
    text = form.u2.dump_hierarchy()
    assert INSTAGRAM in text
    assert "com.android.systemui" in text
    assert "com.android.systemui" not in form.u2.dump_hierarchy(root_in_active=True)


def test_the_keyboard_comes_first_in_the_dump_and_back_closes_it(drive: Drive) -> None:
    phone = drive(app("instagram"), keyboard=True)
    phone.u2.app_start(INSTAGRAM)
    phone.tap("I already have an account")
    phone.fields()[0].click()
    dump = phone.u2.dump_hierarchy()
    assert dump.index("com.google.android.inputmethod.latin") < dump.index(INSTAGRAM)
    phone.u2.press("back")
    assert phone.screen == "ig.login_form"
    assert "inputmethod" not in phone.u2.dump_hierarchy()


def test_objects_are_counted_and_described(form: Driver) -> None:
    assert form.fields().count == 2
    info = form.u2(description="Log in").info
    assert info["className"] == "android.widget.Button"
    assert info["clickable"]
    assert form.u2(description="Log in").child(text="Log in").exists
    assert form.u2(descriptionContains="forgot").exists
    assert form.u2(descriptionMatches="Log .n").exists
    assert not form.u2(resourceId="com.none:id/x").exists


def test_a_missing_object_is_an_error_of_uiautomator2(form: Driver) -> None:
    with pytest.raises(UiObjectNotFoundError):
        form.u2(text="nowhere").click(timeout=0.1)
    with pytest.raises(UiObjectNotFoundError):
        _ = form.u2(text="nowhere").info


def test_waiting_ends_when_the_screen_comes(drive: Drive) -> None:
    phone = drive(app("instagram", delay=0.4))
    assert phone.u2.info
    phone.u2.app_start(INSTAGRAM)
    assert phone.screen == "ig.loading"
    begun = time.monotonic()
    assert phone.u2(description="I already have an account").wait(timeout=5)
    assert time.monotonic() - begun < 2


def test_the_system_buttons_and_keys_leave_the_app(form: Driver) -> None:
    form.u2.press("back")
    assert form.screen == "ig.landing"
    form.u2(resourceId="com.android.systemui:id/home_button").click()
    assert form.screen == "os.launcher"


def test_a_screenshot_shows_the_whole_screen(form: Driver) -> None:
    picture = form.u2.screenshot()
    assert picture.size == (1080, 2220)
    assert len(picture.getcolors(1_000_000)) > 20


def test_a_screen_that_is_off_takes_no_taps(form: Driver) -> None:
    form.u2.screen_off()
    assert not form.u2.info["screenOn"]
    form.tap("Forgot password?")
    form.u2.press("back")
    form.u2.screen_on()
    assert form.u2.info["screenOn"]


def test_swipes_are_noted(form: Driver) -> None:
    form.u2.swipe(500, 1500, 500, 500)
    assert form.farm.journal("SIM1")[-1]["kind"] == "swipe"


def test_the_journal_names_screen_and_run_but_never_what_was_typed(form: Driver) -> None:
    form.u2.shell("setprop debug.phonerack.run 42")
    form.fields()[1].set_text("hidden-word")
    entry = form.farm.journal("SIM1")[-1]
    assert (entry["kind"], entry["screen"], entry["run"], entry["length"]) == (
        "type",
        "ig.login_form",
        "42",
        11,
    )
    assert "hidden-word" not in str(form.farm.journal("SIM1"))


def test_a_session_restarts_an_app_that_has_died(drive: Drive) -> None:
    phone = drive(app("instagram"))
    session = phone.u2.session(INSTAGRAM)
    assert session.running()
    phone.adb.app_stop(INSTAGRAM)
    assert not session.running()
    session.restart()
    assert INSTAGRAM in phone.u2.app_list_running()


def test_waiting_for_what_does_not_come_or_go_ends_in_time(form: Driver) -> None:
    begun = time.monotonic()
    assert not form.u2(text="nowhere").wait(timeout=0.3)
    assert not form.u2(description="Log in").wait_gone(timeout=0.3)
    assert 0.6 <= time.monotonic() - begun < 3


def test_enter_in_the_password_sends_the_form(form: Driver) -> None:
    form.fields()[0].set_text("nobody")
    form.fields()[1].click()
    form.u2.clipboard = "pw"
    form.u2.jsonrpc.pasteClipboard()
    form.u2.press("enter")
    form.await_screen("ig.no_such_account")


def test_touches_by_shell_count_as_touches(form: Driver) -> None:
    left, top, right, bottom = form.u2(description="Log in").bounds()
    form.adb.click((left + right) // 2, (top + bottom) // 2)
    form.await_screen("ig.dialog_password_required")
    form.adb.keyevent("BACK")
    form.await_screen("ig.login_form")


def test_a_touch_says_whose_it_is(form: Driver) -> None:
    call = {"jsonrpc": "2.0", "id": "42:1", "method": "pressKey", "params": ["home"]}
    core._http_request(form.u2._dev, 9008, "POST", "/jsonrpc/0", call)
    form.u2.press("home")
    form.u2.shell("PHONERACK_RUN=43:1 am force-stop com.instagram.android")
    assert [entry["run"] for entry in form.farm.journal("SIM1")[-3:]] == ["42:1", "", "43:1"]


def test_the_journal_goes_to_a_file_too(form: Driver, tmp_path: Path) -> None:
    form.farm.write_journal(tmp_path / "touches.jsonl")
    form.u2.press("home")
    (line,) = (tmp_path / "touches.jsonl").read_text().splitlines()
    assert json.loads(line) == {"serial": "SIM1", **form.farm.journal("SIM1")[-1]}
