"""The phone layer against the real adb server and uiautomator2."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import adbutils
import pytest
from PIL import Image

from devices.phones import u2_server
from devices.phones.deadline import Deadline
from devices.phones.errors import (
    AppMissing,
    Canceled,
    DeadlineExceeded,
    NodeGone,
    PhoneError,
    PhoneHung,
    PhoneOffline,
    PhoneUnauthorized,
    UiServiceDown,
)
from devices.phones.phone import Phone, Spot
from devices.phones.u2_phone import open_phone
from devices.simulator.farm import Farm
from tests.devices.phones.conftest import IG, TT, Rig
from tests.phones import RunningAdb, wait_for

ODD = "# % ' \" < & = + \\ space é 漢 🙂 $HOME `id`; | > ~ * ? (x) [y] {z} !"
CANARY = "can" + "ary"  #: in two pieces, so that a line of this file in a traceback does not hold it
EMPTY = Spot(5, 700)  #: nothing is there on the login form


def open_form(rig: Rig) -> tuple[Spot, Spot]:
    """Instagram's login form; where its fields are."""
    from automation.screens.recognise import recognise

    rig.phone.start_app(IG)
    wait_for(lambda: recognise(rig.phone.dump()).screen == "ig.landing")
    landing = recognise(rig.phone.dump()).find("log_in")
    assert landing
    rig.phone.tap(landing)
    wait_for(lambda: recognise(rig.phone.dump()).screen == "ig.login_form")
    form = recognise(rig.phone.dump())
    user, password = form.find("user"), form.find("password")
    assert user
    assert password
    return user, password


def test_the_phone_keeps_the_contract_of_the_scripts(rig: Rig) -> None:
    phone: Phone = rig.phone

    assert phone.serial == rig.address
    assert phone.dump().startswith("<?xml")


def test_a_call_does_not_wait_for_a_delayed_acknowledgement(rig: Rig) -> None:
    seconds = []
    for _ in range(9):
        begun = time.monotonic()
        rig.phone.dump()
        seconds.append(time.monotonic() - begun)

    assert min(seconds) < 0.03  # 0.04 and more without TCP_NODELAY


def test_an_app_is_started_seen_in_front_and_stopped(rig: Rig) -> None:
    rig.phone.start_app(IG)
    wait_for(lambda: rig.phone.front().startswith(f"{IG}/"))
    rig.phone.stop_app(IG)

    wait_for(lambda: not rig.phone.front().startswith(IG))
    assert rig.phone.app_version(IG).startswith("410")


@pytest.mark.parametrize("package", ["com.not.there", "no package; reboot", ""])
def test_an_app_that_is_not_there_is_said_to_be_missing(rig: Rig, package: str) -> None:
    with pytest.raises(AppMissing):
        rig.phone.app_version(package)
    with pytest.raises(AppMissing):
        rig.phone.start_app(package)


def test_the_data_of_an_app_is_never_cleared(rig: Rig) -> None:
    rig.phone.start_app(TT)
    rig.phone.stop_app(TT)

    assert rig.farm.signed_in("P1", TT) == ["alice"]
    assert not rig.touches("clear_app")


def test_a_screenshot_is_a_png_of_the_whole_screen(rig: Rig) -> None:
    assert Image.open(io.BytesIO(rig.phone.screenshot())).size == (1080, 2220)


def test_keys_and_swipes_arrive(rig: Rig) -> None:
    rig.phone.press("home")
    rig.phone.swipe_up()

    assert len(rig.touches("key")) == 1
    assert len(rig.touches("swipe")) == 1


# --- typing


@pytest.mark.parametrize("text", [ODD, "p", " leading and trailing ", "-rf", "123456", "a" * 200])
def test_every_character_arrives_as_it_is(rig: Rig, text: str) -> None:
    _, password = open_form(rig)
    rig.phone.type_into(password, text, secret=True)

    assert rig.farm.phone("P1").apps[IG].fields["password"] == text


def test_what_a_field_held_is_replaced(rig: Rig) -> None:
    user, _ = open_form(rig)
    for text in ("first", "second", ""):
        rig.phone.type_into(user, text)
        assert rig.farm.phone("P1").apps[IG].fields.get("user", "") == text


def everything_about(error: BaseException) -> str:
    """The error as any handler could print it: with its causes, contexts and arguments."""
    seen, parts = [error], []
    for one in seen:
        parts += [repr(one), str(one.args), "".join(traceback.format_exception(one))]
        seen += [more for more in (one.__cause__, one.__context__) if more is not None]
    return "\n".join(parts)


def test_a_password_is_in_no_log_and_no_error_when_the_field_vanishes(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, password = open_form(rig)
    rig.phone.type_into(password, CANARY + "-1", secret=True)
    with pytest.raises(NodeGone) as caught:
        rig.phone.type_into(EMPTY, CANARY + "-2", secret=True)

    assert CANARY not in everything_about(caught.value)
    assert CANARY not in caplog.text
    assert CANARY not in str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize(
    "raised",
    [
        u2_server.u2_errors.UiObjectNotFoundError(-32001, "not found", [CANARY]),
        u2_server.u2_errors.RPCUnknownError(CANARY, [CANARY], CANARY),
        u2_server.u2_errors.HTTPError(CANARY),
        ConnectionResetError(CANARY),
        u2_server.json.JSONDecodeError(CANARY, CANARY, 0),
    ],
)
def test_a_password_is_in_no_error_whatever_uiautomator_raises(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    _, password = open_form(rig)
    real = u2_server._jsonrpc_call

    def fail(device: Any, port: int, method: str, *rest: Any) -> Any:
        if method == "setText":
            raise raised
        return real(device, port, method, *rest)

    monkeypatch.setattr(u2_server, "_jsonrpc_call", fail)
    with pytest.raises(PhoneError) as caught:
        rig.phone.type_into(password, CANARY, secret=True)

    assert CANARY not in everything_about(caught.value)


def test_a_field_that_does_not_take_the_text_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    user, _ = open_form(rig)
    real = u2_server._jsonrpc_call

    def refuse(device: Any, port: int, method: str, *rest: Any) -> Any:
        return False if method == "setText" else real(device, port, method, *rest)

    monkeypatch.setattr(u2_server, "_jsonrpc_call", refuse)
    with pytest.raises(NodeGone):
        rig.phone.type_into(user, "alice")


def test_a_text_never_goes_to_the_field_that_had_the_focus_before(rig: Rig) -> None:
    user, _ = open_form(rig)
    rig.phone.type_into(user, "alice")
    with pytest.raises(NodeGone):
        rig.phone.type_into(EMPTY, CANARY, secret=True)

    assert rig.farm.phone("P1").apps[IG].fields["user"] == "alice"


# --- once


def count_calls(monkeypatch: pytest.MonkeyPatch, lost: str) -> list[str]:
    """The methods that are called from now on; the answer to every call of `lost` gets lost."""
    calls: list[str] = []
    real = u2_server._jsonrpc_call

    def call(device: Any, port: int, method: str, *rest: Any) -> Any:
        calls.append(method)
        answer = real(device, port, method, *rest)
        if method == lost and calls.count(lost) == 1:
            raise u2_server.u2_errors.HTTPError("the answer got lost")
        return answer

    monkeypatch.setattr(u2_server, "_jsonrpc_call", call)
    return calls


def test_a_tap_whose_answer_is_lost_is_not_tapped_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    count_calls(monkeypatch, "click")
    with pytest.raises(UiServiceDown):
        rig.phone.tap(Spot(500, 500))

    assert len(rig.touches("click")) == 1


def test_a_text_whose_answer_is_lost_is_not_typed_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    user, _ = open_form(rig)
    calls = count_calls(monkeypatch, "setText")
    with pytest.raises(PhoneError):
        rig.phone.type_into(user, "alice")

    assert calls.count("setText") == 1


def test_a_look_whose_answer_is_lost_is_looked_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count_calls(monkeypatch, "dumpWindowHierarchy")

    assert rig.phone.dump().startswith("<?xml")
    assert len(calls) == 2


def test_looks_share_a_connection_and_do_without_it_when_it_was_closed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = rig.phone._ui._new_line
    monkeypatch.setattr(rig.phone._ui, "_new_line", lambda: (made.append(1), real())[1])
    rig.phone._ui.hang_up()
    for _ in range(3):
        rig.phone.dump()
    assert len(made) == 1
    line = rig.phone._ui._line
    assert line is not None
    line.shutdown(socket.SHUT_RDWR)

    assert rig.phone.dump().startswith("<?xml")
    assert len(made) == 2


def test_a_tap_shares_the_connection_of_the_look_before_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.phone.dump()
    monkeypatch.setattr(rig.phone._ui, "_new_line", lambda: pytest.fail("a new connection was made"))
    rig.phone.tap(Spot(500, 500))

    assert len(rig.touches("click")) == 1


def test_a_tap_does_without_a_connection_that_said_nothing_for_a_while(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.phone.dump()
    line = rig.phone._ui._line
    monkeypatch.setattr(u2_server, "FRESH_SECONDS", 0.0)
    rig.phone.tap(Spot(500, 500))

    assert line is not None
    assert line.fileno() == -1
    assert len(rig.touches("click")) == 1


def test_a_tap_never_goes_over_a_connection_that_may_be_closed(rig: Rig) -> None:
    rig.phone.dump()
    line = rig.phone._ui._line
    assert line is not None
    line.shutdown(socket.SHUT_RDWR)
    rig.phone.tap(Spot(500, 500))

    assert len(rig.touches("click")) == 1


def test_a_run_leaves_no_connection_open(farm: Farm, adb_server: RunningAdb) -> None:
    with open_phone(adb_server.server, farm.phone("P1").address, Deadline(20)) as phone:
        phone.dump()
        line = phone._ui._line

    assert line is not None
    assert line.fileno() == -1


def test_a_dead_server_on_the_phone_is_started_again_and_the_tap_arrives_once(rig: Rig) -> None:
    rig.farm.set("P1", fault="u2_dead")
    rig.farm.set("P1", fault=None)
    rig.phone.tap(Spot(500, 500))

    assert len(rig.touches("click")) == 1


def test_a_server_that_does_not_start_is_told(rig: Rig) -> None:
    rig.farm.set("P1", fault="u2_dead")
    with pytest.raises(UiServiceDown):
        rig.phone.tap(Spot(500, 500))


# --- the end of a run


def blocked(call: Callable[[], object]) -> tuple[threading.Thread, list[PhoneError]]:
    """The call in a thread of its own, and what it raises."""
    raised: list[PhoneError] = []

    def run() -> None:
        try:
            call()
        except PhoneError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


@pytest.mark.parametrize(("stop", "error"), [("cancel", Canceled), ("end", DeadlineExceeded)])
@pytest.mark.parametrize("what", ["dump", "tap", "type_into"])
def test_a_call_that_hangs_returns_within_a_second_when_the_run_is_stopped(
    rig: Rig, stop: str, error: type[Exception], what: str
) -> None:
    calls: dict[str, Callable[[], object]] = {
        "dump": rig.phone.dump,
        "tap": lambda: rig.phone.tap(Spot(1, 1)),
        "type_into": lambda: rig.phone.type_into(Spot(1, 1), "x"),
    }
    rig.farm.set("P1", fault="hang")
    thread, raised = blocked(calls[what])
    time.sleep(0.3)
    assert thread.is_alive()
    begun = time.monotonic()
    rig.deadline.cancel("by Alice") if stop == "cancel" else rig.deadline.end()
    thread.join(5)

    assert time.monotonic() - begun < 1
    assert [type(one) for one in raised] == [error]


def test_a_call_that_hangs_ends_by_itself(farm: Farm, adb_server: RunningAdb) -> None:
    address = farm.phone("P1").address
    with open_phone(adb_server.server, address, Deadline(60), call_seconds=0.4) as phone:
        farm.set("P1", fault="hang")
        with pytest.raises(PhoneHung):
            phone.dump()


def test_a_call_that_hangs_ends_with_the_run(farm: Farm, adb_server: RunningAdb) -> None:
    begun = time.monotonic()
    with open_phone(adb_server.server, farm.phone("P1").address, Deadline(1.5)) as phone:
        farm.set("P1", fault="hang")
        with pytest.raises(DeadlineExceeded):
            phone.dump()

    assert time.monotonic() - begun < 3


def test_a_run_that_was_stopped_touches_the_phone_no_more(rig: Rig) -> None:
    rig.deadline.cancel("by Alice")
    with pytest.raises(Canceled):
        rig.phone.tap(Spot(1, 1))

    assert not rig.touches("click")


def test_a_phone_that_goes_away_is_offline(rig: Rig) -> None:
    rig.farm.set("P1", fault="offline")
    with pytest.raises((PhoneOffline, UiServiceDown)):
        rig.phone.dump()


@pytest.mark.parametrize(("fault", "error"), [("offline", PhoneOffline), ("unauthorized", PhoneUnauthorized)])
def test_a_phone_that_is_not_there_cannot_be_opened(
    farm: Farm, adb_server: RunningAdb, fault: str, error: type[Exception]
) -> None:
    address = farm.phone("P1").address
    farm.set("P1", fault=fault)
    wait_for(lambda: {one.address: one.state for one in adb_server.server.phones()}.get(address) == fault)
    with pytest.raises(error), open_phone(adb_server.server, address, Deadline(20)):
        pass


def test_the_next_run_finds_the_server_on_the_phone_still_running(farm: Farm, adb_server: RunningAdb) -> None:
    address = farm.phone("P1").address
    seconds = []
    for _ in range(4):
        begun = time.monotonic()
        with open_phone(adb_server.server, address, Deadline(20)) as phone:
            phone.dump()
        seconds.append(time.monotonic() - begun)

    assert min(seconds[1:]) < seconds[0] / 5  # a start takes 0.1 s; on a busy machine one of them may wait


def test_a_server_that_hung_is_not_kept_though_the_run_went_on(farm: Farm, adb_server: RunningAdb) -> None:
    address = farm.phone("P1").address
    with open_phone(adb_server.server, address, Deadline(20), call_seconds=2) as phone:  # for opening, too
        farm.set("P1", fault="hang")
        with pytest.raises(PhoneHung):
            phone.dump()

    assert not [key for key in u2_server.KEPT if key[2] == address]


def test_a_kept_server_ends_with_the_run_that_goes_wrong(farm: Farm, adb_server: RunningAdb) -> None:
    address = farm.phone("P1").address
    with open_phone(adb_server.server, address, Deadline(20)):
        pass
    assert [key for key in u2_server.KEPT if key[2] == address]
    with pytest.raises(RuntimeError), open_phone(adb_server.server, address, Deadline(20)):
        raise RuntimeError

    assert not [key for key in u2_server.KEPT if key[2] == address]


def test_a_run_that_went_wrong_leaves_no_server_behind(farm: Farm, adb_server: RunningAdb) -> None:
    address = farm.phone("P1").address
    with pytest.raises(RuntimeError), open_phone(adb_server.server, address, Deadline(20)):
        raise RuntimeError

    assert not [key for key in u2_server.KEPT if key[2] == address]


def test_a_touch_that_hung_when_its_run_was_stopped_is_never_done(farm: Farm, adb_server: RunningAdb) -> None:
    address, deadline = farm.phone("P1").address, Deadline(20)
    with open_phone(adb_server.server, address, deadline) as phone:
        farm.set("P1", fault="hang")
        thread, _raised = blocked(lambda: phone.press("back"))
        time.sleep(0.3)
        deadline.cancel("by Alice")
        thread.join(5)
    wait_for(lambda: not farm.phone("P1").u2_running, 2, "the end of the server")
    farm.set("P1", fault=None)
    with open_phone(adb_server.server, address, Deadline(20)) as phone:
        phone.press("home")
    assert keys_pressed(farm) == ["home"]


def test_a_touch_that_hangs_in_the_server_of_another_host_is_never_done(
    farm: Farm, adb_server: RunningAdb
) -> None:
    address = farm.phone("P1").address
    with open_phone(adb_server.server, address, Deadline(20)) as phone:
        connection = phone._device.create_connection(adbutils.Network.TCP, u2_server.PORT)
    elsewhere = u2_server.KEPT.pop(phone._device.key)
    farm.set("P1", fault="hang")
    body = b'{"jsonrpc":"2.0","id":1,"method":"pressKey","params":["back"]}'
    connection.sendall(b"POST /jsonrpc/0 HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    with open_phone(adb_server.server, address, Deadline(20)) as phone:
        farm.set("P1", fault=None)
        phone.press("home")
    assert keys_pressed(farm) == ["home"]
    assert elsewhere.pool() is not None


def keys_pressed(farm: Farm) -> list[str]:
    return [touch["detail"] for touch in farm.journal("P1") if touch["kind"] == "key"]


@pytest.mark.parametrize("asked", range(9))
def test_a_run_that_is_stopped_while_it_opens_the_phone_leaves_no_server_that_nobody_can_end(
    farm: Farm, adb_server: RunningAdb, asked: int
) -> None:
    address, answers = farm.phone("P1").address, iter([""] * asked)
    with open_phone(adb_server.server, address, Deadline(20)):
        pass
    deadline = Deadline(20, lambda: next(answers, "by Alice"))
    with suppress(Canceled), open_phone(adb_server.server, address, deadline):
        pass
    is_ours = any(key[2] == address for key in u2_server.KEPT)
    wait_for(lambda: farm.phone("P1").u2_running == is_ours, 2, "the end of the server")
