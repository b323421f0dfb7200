"""A run from its ticket to its last report, on a simulated phone behind the real adb server."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nacl.public import Box, PrivateKey
from PIL import Image

from automation.agent.identity import Identity
from automation.agent.inventory import Inventory
from automation.agent.lease import CUT_OFF_SECONDS, clock
from automation.agent.outbox import Outbox
from automation.agent.work import Work
from automation.protocol import Ticket, moment_of, take, ticket_key
from automation.screens.schema import library
from automation.scripts.base import SCRIPTS, Result, Script, run_script
from devices.phones.adb import AdbServer
from tests.own_scripts import HEAD, Load
from tests.phones import wait_for

CONTROLLER = PrivateKey.generate()
PASSWORD = "right # % ' \" < & = + \\ é 漢"
FARM = {
    "phones": [{"serial": "SIMWORK1", "usb": "1-4.3", "apps": [{"app": "instagram", "delay": 0.1}]}],
    "logins": [
        {"app": "instagram", "username": "ann.demo", "email": "ann@demo.example", "password": PASSWORD}
    ],
}


@pytest.fixture
def farm(make_farm) -> Any:
    return make_farm(FARM)


@pytest.fixture
def work(farm, adb_server, redis_client, tmp_path: Path, monkeypatch) -> Work:
    monkeypatch.setenv("PHONERACK_LOCKS", str(tmp_path / "locks"))
    identity = Identity("pc1", tmp_path / "pc1")
    identity.trust(bytes(CONTROLLER.public_key).hex())
    inventory = Inventory([AdbServer(port=adb_server.port)])
    made = Work(redis_client, identity, Outbox(tmp_path / "pc1" / "outbox.sqlite3"), inventory)
    wait_for(lambda: inventory.look() or inventory.find("SIMWORK1"), what="the phone")
    return made


def put_ticket(work: Work, run: int = 1, password: str = PASSWORD, **over: Any) -> None:
    account = {"username": "ann.demo", "email": "ann@demo.example", "password": password}
    now = moment_of(work.client)
    made = {"account": account, "life": now.life, "expires": now.seconds + 60}
    values = {"script": "login", "app": "instagram", **made, **over}
    ticket = Ticket(run=run, fence=1, host="pc1", serial="SIMWORK1", **values)
    sealed = bytes(Box(CONTROLLER, work.identity.key.public_key).encrypt(ticket.to_json().encode()))
    work.client.set(ticket_key("pc1", run, 1), sealed)


def reports(work: Work) -> list[tuple[str, dict[str, Any]]]:
    return [(report.kind, report.body) for report in work.outbox.unsent(0, 100)]


def last(work: Work) -> dict[str, Any]:
    kind, body = reports(work)[-1]
    assert kind == "finished"
    return body


def test_the_inventory_tells_where_the_phone_hangs(work: Work) -> None:
    (phone,) = [phone for phone in work.inventory.phones() if phone["serial"] == "SIMWORK1"]
    assert (phone["connection"], phone["usb_path"]) == ("online", "1-4.3")


def test_a_login_reports_its_start_its_steps_and_its_end(work: Work, farm) -> None:
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    kinds = [kind for kind, _body in reports(work)]
    assert (kinds[0], kinds[-1]) == ("started", "finished")
    assert "step" in kinds
    assert (last(work)["outcome"], last(work)["reason"]) == ("succeeded", "signed_in")
    assert work.outbox.snapshot()[2] == []
    assert farm.signed_in("SIMWORK1", "com.instagram.android") == ["ann.demo"]


def test_without_a_ticket_nothing_is_touched(work: Work, farm) -> None:
    before = len(farm.journal("SIMWORK1"))
    work.do(1, 1, "SIMWORK1")
    assert reports(work) == []
    assert work.outbox.snapshot() == (1, 0, [])
    assert len(farm.journal("SIMWORK1")) == before


def test_a_message_that_comes_twice_starts_one_run(work: Work) -> None:
    put_ticket(work)
    twice = [threading.Thread(target=work.do, args=(1, 1, "SIMWORK1")) for _ in range(2)]
    for thread in twice:
        thread.start()
    for thread in twice:
        thread.join()
    assert [kind for kind, _body in reports(work)].count("started") == 1


def test_a_failed_login_leaves_picture_and_dump_and_no_password(work: Work) -> None:
    put_ticket(work, password="wrong-Canary-1")
    work.do(1, 1, "SIMWORK1")
    end = last(work)
    assert (end["outcome"], end["reason"]) == ("failed", "wrong_password")
    assert Image.open(io.BytesIO(base64.b64decode(end["screenshot"]))).format == "JPEG"
    assert "com.instagram.android" in end["dump"]
    assert "wrong-Canary-1" not in json.dumps(reports(work))


def _raise(error: Exception) -> Any:
    raise error


def test_a_ticket_of_somebody_else_is_refused(work: Work, farm) -> None:
    sealed = bytes(Box(PrivateKey.generate(), work.identity.key.public_key).encrypt(b"{}"))
    work.client.set(ticket_key("pc1", 1, 1), sealed)
    work.do(1, 1, "SIMWORK1")
    assert (last(work)["outcome"], last(work)["reason"]) == ("errored", "bad_ticket")


def test_a_phone_that_went_away_is_named(work: Work, farm) -> None:
    put_ticket(work)
    farm.set("SIMWORK1", fault="offline")
    wait_for(lambda: work.inventory.look() or not work.inventory.find("SIMWORK1"), what="adb's word of it")
    work.do(1, 1, "SIMWORK1")
    assert (last(work)["outcome"], last(work)["reason"]) == ("failed", "phone_offline")


@pytest.mark.parametrize(
    ("reason", "outcome"), [("canceled", "canceled"), ("agent_stopping", "canceled"), ("cut_off", "lost")]
)
def test_a_phone_that_hangs_lets_go_within_a_second_of_a_cancel(
    work: Work, farm, reason: str, outcome: str
) -> None:
    put_ticket(work)
    farm.set("SIMWORK1", fault="hang")
    run = threading.Thread(target=work.do, args=(1, 1, "SIMWORK1"))
    run.start()
    wait_for(lambda: reports(work), what="the start")
    time.sleep(0.2)
    work.cancel_all(reason)
    run.join(2)
    assert not run.is_alive()
    assert (last(work)["outcome"], last(work)["reason"]) == (outcome, reason)


def test_a_defect_ends_as_errored_with_a_traceback_and_without_values(
    work: Work, monkeypatch, caplog
) -> None:
    def broken(context: Any) -> Any:
        raise RuntimeError(f"typed {context.ticket.credentials.password}")

    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", broken))
    put_ticket(work)
    with caplog.at_level(logging.DEBUG):
        work.do(1, 1, "SIMWORK1")
    assert last(work)["outcome"] == "errored"
    assert "in broken" in last(work)["message"]
    assert PASSWORD not in caplog.text + json.dumps(reports(work), ensure_ascii=False)


def test_a_ticket_that_comes_back_with_an_old_redis_starts_nothing_twice(work: Work) -> None:
    for _ in range(2):
        put_ticket(work)
        work.do(1, 1, "SIMWORK1")
    assert [kind for kind, _body in reports(work)].count("started") == 1


def test_a_host_whose_clock_is_an_hour_off_works_all_the_same(work: Work, monkeypatch) -> None:
    put_ticket(work)
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 3600)
    work.do(1, 1, "SIMWORK1")
    assert last(work)["outcome"] == "succeeded"


def test_the_codes_of_a_ticket_begin_when_they_do_by_redis_clock(work: Work, monkeypatch) -> None:
    given: list[list[Any]] = []

    def look(context: Any) -> Result:
        given.extend(context.ticket.credentials.codes)
        return Result("succeeded", "signed_in")

    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", look))
    begins, clock = moment_of(work.client).seconds, time.time
    put_ticket(work, account={"username": "ann.demo", "codes": [[begins, "123456"]]})
    monkeypatch.setattr(time, "time", lambda: clock() - 3600)
    work.do(1, 1, "SIMWORK1")
    assert [(pytest.approx(begins - 3600, abs=1), "123456")] == [tuple(one) for one in given]


@pytest.mark.parametrize("over", [{"life": "another"}, {"expires": 1}])
def test_a_ticket_of_an_earlier_time_starts_nothing(work: Work, farm, over: dict[str, Any]) -> None:
    before = len(farm.journal("SIMWORK1"))
    put_ticket(work, **over)
    work.do(1, 1, "SIMWORK1")
    assert reports(work) == []
    assert len(farm.journal("SIMWORK1")) == before


def test_a_message_that_names_another_phone_is_refused(work: Work, farm) -> None:
    before = len(farm.journal("SIMWORK1"))
    put_ticket(work)
    work.do(1, 1, "ANOTHER")
    assert (last(work)["outcome"], last(work)["reason"]) == ("errored", "bad_ticket")
    assert len(farm.journal("SIMWORK1")) == before


@pytest.mark.parametrize("where", ["Work.open_phone", "run_script"])
def test_whatever_goes_wrong_the_run_is_reported_and_out_of_hand(work: Work, monkeypatch, where: str) -> None:
    def broken(*_arguments: Any, **_options: Any) -> Any:
        raise UnicodeDecodeError("utf-8", b"x", 0, 1, "adb said so")

    monkeypatch.setattr(f"automation.agent.work.{where}", broken)
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    assert last(work)["outcome"] == "errored"
    assert work.outbox.snapshot()[2] == []


def test_an_agent_that_cannot_write_its_report_ends_so_that_the_next_one_tells(
    work: Work, monkeypatch
) -> None:
    died: list[int] = []
    monkeypatch.setattr(work, "die", lambda: died.append(1))

    def full(*_arguments: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(work.outbox, "finish", full)
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    assert died
    assert work.outbox.snapshot()[2] == [[1, 1]]


def test_a_script_that_outlives_its_time_is_woken_by_the_watchdog(work: Work, monkeypatch) -> None:
    def waits(context: Any) -> Any:
        ended = threading.Event()  # a wait that never looks at the clock
        context.deadline.on_end(ended.set)
        ended.wait(20)
        context.deadline.check()

    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", waits))
    put_ticket(work, seconds=0.5)
    run = threading.Thread(target=work.do, args=(1, 1, "SIMWORK1"))
    run.start()
    wait_for(lambda: work.end_expired() or not run.is_alive(), 10, "the end")
    assert last(work)["reason"] == "deadline"


def test_a_run_of_a_host_that_was_not_heard_touches_nothing_more_by_itself(
    work: Work, farm, monkeypatch
) -> None:
    """Nobody cancels it: the process was paused, and its first thread to go on is the script's."""

    def paused(context: Any) -> Any:
        work.lease.renew(clock() - CUT_OFF_SECONDS - 1)
        context.phone.press("home")

    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", paused))
    put_ticket(work)
    before = farm.journal("SIMWORK1")
    work.do(1, 1, "SIMWORK1")
    assert (last(work)["outcome"], last(work)["reason"]) == ("lost", "cut_off")
    assert farm.journal("SIMWORK1") == before


def test_a_pause_between_the_ticket_and_the_script_is_noticed(work: Work, farm, monkeypatch) -> None:
    def paused(client: Any, name: str) -> tuple[bytes | None, str]:
        sealed = take(client, name)
        work.lease.renew(clock() - CUT_OFF_SECONDS - 1)
        work.lease.renew(clock())  # the heartbeat's thread went on first
        return sealed

    monkeypatch.setattr("automation.agent.work.take", paused)
    put_ticket(work)
    before = farm.journal("SIMWORK1")
    work.do(1, 1, "SIMWORK1")
    assert (last(work)["outcome"], last(work)["reason"]) == ("lost", "cut_off")
    assert farm.journal("SIMWORK1") == before


def test_another_phone_at_the_same_address_is_not_taken_for_the_first(work: Work, monkeypatch) -> None:
    facts = AdbServer.facts
    monkeypatch.setattr(
        AdbServer, "facts", lambda *arguments: replace(facts(*arguments), serial="SOMEBODY-ELSE")
    )
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    assert (last(work)["outcome"], last(work)["reason"]) == ("failed", "phone_offline")


def stepping(going: threading.Event, go_on: threading.Event) -> Script:
    """A script of two steps, of which the first waits."""

    def body(context: Any) -> Result:
        with context.step("first"):
            going.set()
            go_on.wait(5)
        with context.step("second"):
            context.deadline.check()
        return Result("succeeded", "done")

    return Script("login", "Log in", body)


@pytest.mark.parametrize(
    ("lets_end", "outcome", "steps"),
    [(False, "canceled", ["first"]), (True, "succeeded", ["first", "second"])],
)
def test_a_stopping_agent_finishes_the_step_and_hands_back_or_lets_the_run_end(
    work: Work, monkeypatch, lets_end: bool, outcome: str, steps: list[str]
) -> None:
    going, go_on = threading.Event(), threading.Event()
    monkeypatch.setitem(SCRIPTS, "login", stepping(going, go_on))
    put_ticket(work)
    run = threading.Thread(target=work.do, args=(1, 1, "SIMWORK1"))
    run.start()
    assert going.wait(10)
    work.stop(lets_end)
    go_on.set()
    run.join(5)
    assert last(work)["outcome"] == outcome
    done = [body["name"] for kind, body in reports(work) if kind == "step" and body["ok"]]
    assert done == steps


def test_a_stopping_agent_starts_nothing_more(work: Work) -> None:
    put_ticket(work)
    work.stop()
    work.do(1, 1, "SIMWORK1")
    assert reports(work) == []
    assert work.outbox.snapshot()[2] == []


def test_a_ticket_is_left_where_it_is_while_the_controller_is_not_known(work: Work, farm) -> None:
    """An emptied Redis forgets the controller's key; the run must not end for that."""
    (work.identity.folder / "controller.pub").unlink()
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    assert work.client.exists(ticket_key("pc1", 1, 1))
    assert reports(work) == []
    assert work.outbox.snapshot() == (1, 0, [])


def test_a_script_of_the_users_that_breaks_every_rule_ends_its_run_and_the_agent_goes_on(
    work: Work, load_own: Load
) -> None:
    ends = [
        'return Result("succeeded", "x", "", {"at": object(), "half": chr(0xD800)})',
        "raise SystemExit(1)",
        "1 / 0",
        "with context.step({1}): pass",
        "with context.step(chr(0xD800)): pass",
        'return Result("succeeded", "read", chr(0xD800), {"n": context.options["n"]})',
    ]
    texts = [
        f'{HEAD}@script("own-{number}", label="O", needs_account=False, options=[Int("n", "N", default=3)])\n'
        f"def own(context):\n    {body}\n"
        for number, body in enumerate(ends)
    ]
    assert load_own(*texts) == []
    for number in range(len(ends)):
        put_ticket(work, run=number + 1, script=f"own-{number}", app="", account=None)
        work.do(number + 1, 1, "SIMWORK1")
    ended = [body for kind, body in reports(work) if kind == "finished"]
    assert [one["outcome"] for one in ended] == ["errored"] * 5 + ["succeeded"]
    assert (ended[0]["reason"], ended[-1]["data"]) == ("bad_result", {"n": 3})
    assert "wanted to end the whole process" in ended[1]["message"]
    for report in work.outbox.unsent(0, 100):
        report.to_json().encode()


def test_the_last_report_tells_what_was_seen_by_which_app_version_and_screen_files(work: Work) -> None:
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    end = last(work)
    seen = {(app, screen): (version, alternatives) for app, screen, version, alternatives in end["seen"]}
    version, alternatives = seen["instagram", "ig.login_form"]

    assert version.startswith("410")
    assert any(one.startswith("any.") for one in alternatives)
    assert any(one.startswith("password.") for one in alternatives)
    assert end["screens_hash"] == library().hash
    assert len(json.dumps(end["seen"])) < 4000
    assert "unconfirmed_words" not in end["data"]


def test_a_run_that_relied_on_words_nobody_has_seen_says_so(
    work: Work, farm, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "own.yaml").write_text(
        "schema: 1\napp: instagram\nscreens:\n"
        "  - {id: ig.landing, kind: form, all: [{text: house}], actions: {log_in: [{text: house}]}}\n"
        'unconfirmed: {en: {house: ["I already have an account"]}}\n',
        "utf-8",
    )
    monkeypatch.setenv("PHONERACK_SCREENS", str(tmp_path))
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    end = last(work)

    assert (end["outcome"], end["reason"]) == ("succeeded", "signed_in")
    assert end["data"]["unconfirmed_words"] == ["en house: i already have an account"]


def test_a_wrong_screen_file_of_the_operators_stops_no_run(
    work: Work, tmp_path: Path, monkeypatch, caplog
) -> None:
    (tmp_path / "bad.yaml").write_text("screens: [", "utf-8")
    monkeypatch.setenv("PHONERACK_SCREENS", str(tmp_path))
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")

    assert last(work)["outcome"] == "succeeded"
    assert "bad.yaml:1: this is no YAML" in caplog.text


def fails(context: Any) -> Result:
    return Result("failed", "wrong_password")


def assert_it_fails_without_a_look(work: Work, farm) -> None:
    put_ticket(work)
    before = farm.journal("SIMWORK1")
    work.do(1, 1, "SIMWORK1")
    assert (last(work)["outcome"], "dump" in last(work)) == ("failed", False)
    assert farm.journal("SIMWORK1") == before


@pytest.mark.parametrize("heard_again", [False, True])
def test_what_was_not_heard_when_its_script_ended_does_not_look_at_the_phone_for_evidence(
    work: Work, farm, monkeypatch, heard_again: bool
) -> None:
    def paused(context: Any) -> Result:
        work.lease.renew(clock() - CUT_OFF_SECONDS - 1)
        if heard_again:  # by then the phone may be another host's
            work.lease.renew(clock())
        return fails(context)

    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", paused))
    assert_it_fails_without_a_look(work, farm)


def test_a_cancel_between_the_script_and_the_evidence_is_not_lost(work: Work, farm, monkeypatch) -> None:
    def ended(*arguments: Any, **options: Any) -> Result:
        result = run_script(*arguments, **options)
        work.cancel([(1, 1)], "canceled")
        return result

    monkeypatch.setattr("automation.agent.work.run_script", ended)
    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", fails))
    assert_it_fails_without_a_look(work, farm)


def test_a_run_whose_time_is_over_still_leaves_evidence(work: Work, monkeypatch) -> None:
    def slow(context: Any) -> Result:
        context.deadline.end()
        context.deadline.check()
        return fails(context)

    monkeypatch.setitem(SCRIPTS, "login", Script("login", "Log in", slow))
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    assert last(work)["reason"] == "deadline"
    assert "com." in last(work)["dump"]


def test_a_lock_that_cannot_be_had_leaves_the_run_to_the_controller_and_the_agent_goes_on(
    work: Work, monkeypatch, caplog
) -> None:
    died: list[int] = []
    monkeypatch.setattr(work, "die", lambda: died.append(1))
    locks = work.identity.folder.parent / "locks"
    locks.touch()
    put_ticket(work)
    work.do(1, 1, "SIMWORK1")
    assert (died, reports(work), work.outbox.snapshot()) == ([], [], (1, 0, []))
    assert f"run 1 is left to the controller: its lock in {locks} cannot be had" in caplog.text
    assert work.client.exists(ticket_key("pc1", 1, 1))
