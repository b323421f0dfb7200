"""Every reason why a run ends, brought about on a simulated phone through the real adb server and uiautomator2."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from automation.scripts.reasons import REASONS
from devices.phones.deadline import Deadline
from devices.phones.errors import StorageFull, UiServiceDown
from devices.phones.u2_phone import open_phone
from tests.automation.scripts.conftest import MakeStage
from tests.automation.scripts.rigs import PACKAGES, SECRET, Stage, codes, login, ticket

IG, TT = "instagram", "tiktok"


@dataclass
class Case:
    """What there is, and how a login of alice must end."""

    outcome: str
    reason: str
    app: str = IG
    on_app: dict[str, Any] = field(default_factory=dict)
    on_phone: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)  #: how the service knows alice
    account: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    def __str__(self) -> str:
        return "-".join([self.reason, self.app, self.fault, *map(str, self.on_app.values()), *self.known])


CASES = [
    Case("succeeded", "signed_in"),
    Case("succeeded", "signed_in", TT),
    Case("succeeded", "already_signed_in", on_app={"signed_in": ["alice"]}),
    Case("succeeded", "switched", TT, {"signed_in": ["bob", "alice"]}),
    Case("failed", "wrong_password", known={"password": "another"}),
    Case("failed", "wrong_password", TT, known={"password": "another"}),
    Case("failed", "no_such_account", account={"email": "gone@mail.example"}),
    Case("failed", "no_such_account", TT, account={"email": "gone@mail.example"}),
    Case("failed", "rate_limited", known={"behaviour": "rate_limited"}),
    Case("failed", "other_account", account={"email": "bob@mail.example"}),
    Case("failed", "no_password", account={"password": ""}),
    Case("needs_person", "captcha", known={"behaviour": "captcha"}),
    Case("needs_person", "email_code", known={"behaviour": "email_code"}),
    Case("needs_person", "sms_code", known={"behaviour": "sms_code"}),
    Case("needs_person", "sms_code", TT, known={"behaviour": "sms_code"}),
    Case("needs_person", "approve_elsewhere", known={"behaviour": "approve_elsewhere"}),
    Case("needs_person", "two_factor", known={"totp_secret": SECRET}),
    Case("needs_person", "suspicious_login", known={"behaviour": "suspicious"}),
    Case("needs_person", "identity_check", known={"behaviour": "identity"}),
    Case("needs_person", "identity_check", TT, known={"behaviour": "identity"}),
    Case("needs_person", "account_locked", known={"behaviour": "locked"}),
    Case("failed", "banned", known={"behaviour": "suspended"}),
    Case("failed", "banned", TT, known={"behaviour": "suspended"}),
    Case("needs_person", "age_gate", TT, known={"behaviour": "age_gate"}),
    Case("needs_person", "logged_out_elsewhere", known={"behaviour": "kicked"}),
    Case("needs_person", "logged_out_elsewhere", TT, known={"behaviour": "kicked"}),
    Case("failed", "logged_out_elsewhere", on_app={"signed_in": ["alice"], "popups": ["logged_out"]},
         account={"password": ""}),
    Case("failed", "app_missing", fault="app_missing"),
    Case("needs_person", "update_required", on_app={"popups": ["update_required"]}),
    Case("needs_person", "update_required", TT, {"popups": ["update_required"]}),
    Case("needs_person", "wrong_language", on_app={"language": "ja"}),
    Case("needs_person", "wrong_language", TT, {"language": "ja"}),
    Case("needs_person", "unknown_screen", on_app={"popups": ["survey"]}),
    Case("needs_person", "unknown_screen", TT, known={"behaviour": "survey"}),
    Case("needs_person", "phone_locked", on_phone={"lock": "pin"}),
    Case("needs_person", "phone_locked", fault="locked"),
    Case("needs_person", "storage_full", fault="storage_full"),
    Case("failed", "no_internet", fault="no_internet"),
    Case("failed", "no_internet", TT, fault="no_internet"),
    Case("needs_person", "wrong_clock", on_phone={"clock": 200_000.0}),
    Case("needs_person", "wrong_clock", TT, on_phone={"clock": -200_000.0}),
    Case("needs_person", "app_crashes", fault="app_crash"),
    Case("needs_person", "app_hangs", TT, fault="app_hang"),
    Case("needs_person", "unreadable_screen", fault="opaque"),
    Case("needs_person", "unreadable_screen", fault="u2_broken"),
    Case("failed", "ui_service_down", fault="u2_dead"),
    Case("needs_person", "no_progress", known={"behaviour": "no_answer"}),
    # What does not keep anybody from being signed in.
    Case("succeeded", "signed_in", on_app={"popups": ["survey_once"]}),
    Case("succeeded", "signed_in", TT, {"popups": ["anr", "update_offered"]}),
    Case("succeeded", "signed_in", on_app={"popups": ["crash"]}),
    Case("succeeded", "signed_in", on_app={"popups": ["permission", "autofill", "notifications", "contacts"]}),
    Case("succeeded", "signed_in", TT, {"popups": ["terms", "password_manager", "contacts"]}),
    Case("succeeded", "signed_in", on_app={"signed_in": ["alice"], "popups": ["logged_out", "update_offered"]}),
    Case("succeeded", "signed_in", on_phone={"lock": "swipe"}),
    Case("succeeded", "signed_in", fault="u2_stuck"),
    Case("succeeded", "signed_in", TT, fault="opaque_app"),
    Case("succeeded", "signed_in", on_app={"language": "nl"}),
    Case("succeeded", "already_signed_in", on_app={"language": "ja", "signed_in": ["alice"]}),
]  # fmt: skip

#: Reasons of the scripts that other tests bring about: of match and sync, and of phones that cannot be opened.
ELSEWHERE = frozenset(
    {"synced", "matched", "partly_matched", "no_statistics", "not_signed_in", "code_refused", "choice_needed",
     "unknown_script", "wrong_option", "bad_result", "screens_away",
     "phone_error", "phone_offline", "phone_unauthorized", "phone_hung", "adb_server_down",
     "phone_taken", "screen_changed", "canceled", "deadline"}
)  # fmt: skip

HUMAN = (
    "challenge",
    "captcha",
    "suspended",
    "banned",
    "verify",
    "2step",
    "agegate",
    "update_required",
    "lock",
)


def staged(stage: MakeStage, case: Case) -> Stage:
    """A phone as the case has it; its server runs already, so that a fault meets a run and no connect."""
    people = [login(case.app, "alice", **case.known), login(case.app, "bob")]
    at = stage({"app": case.app, **case.on_app}, logins=people, **case.on_phone)
    if case.fault:
        with open_phone(at.adb.server, at.farm.phone("P1").address, Deadline(20)):
            pass
        at.farm.set("P1", fault=case.fault)
    return at


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_login_ends_for_this_reason(stage: MakeStage, case: Case) -> None:
    at = staged(stage, case)
    try:
        result = at.run(ticket("login", case.app, account=case.account))
        got = (result.outcome, result.reason)
    except UiServiceDown as error:  # the phone cannot even be opened: the agent makes a failed run of it
        got = ("failed", error.reason)

    assert got == (case.outcome, case.reason)
    assert (got[0] == "succeeded") == (
        at.signed_in(case.app)[:1] == ["alice"] and not case.known.get("behaviour")
    )
    touched = {touch["screen"] for touch in at.touches() if touch["kind"] in ("click", "type", "swipe")}
    assert not [one for one in touched if any(word in one for word in HUMAN)]
    assert not at.touches("clear_app")


def test_every_reason_has_a_case_here_or_elsewhere() -> None:
    assert {case.reason for case in CASES} | ELSEWHERE == set(REASONS)
    assert not {case.reason for case in CASES} & ELSEWHERE


def test_every_reason_for_a_person_says_what_to_do() -> None:
    assert all(REASONS[case.reason].action for case in CASES if case.outcome != "succeeded")


def test_a_phone_that_is_too_full_for_the_server_says_so(stage: MakeStage) -> None:
    at = stage({"app": IG}, has_server=False)
    at.farm.set("P1", fault="storage_full")

    with pytest.raises(StorageFull):
        at.run(ticket("login", IG))


def test_an_unknown_screen_in_a_language_that_is_half_known_says_so_and_can_be_labelled(
    stage: MakeStage,
) -> None:
    at = stage({"app": TT, "language": "nl", "popups": ["survey"]})
    result = at.run(ticket("login", TT))

    assert result.reason == "unknown_screen"
    assert "the app is set to nl, in which 1 of 71 texts are known" in result.message


def test_an_unknown_screen_in_a_language_that_is_known_says_nothing_of_it(stage: MakeStage) -> None:
    at = stage({"app": TT, "language": "fr", "popups": ["survey"]})
    result = at.run(ticket("login", TT))

    assert result.reason == "unknown_screen"
    assert "texts are known" not in result.message


# --- the clock


def test_a_phone_with_a_wrong_clock_gets_its_code_and_is_named(stage: MakeStage) -> None:
    at = stage({"app": IG}, logins=[login(IG, "alice", totp_secret=SECRET)], clock=300.0)
    result = at.run(ticket("login", IG, account={"codes": codes()}))

    assert (result.outcome, result.reason) == ("succeeded", "signed_in")
    assert "clock is 300 s ahead" in result.message or "clock is 301 s ahead" in result.message
    assert [detail for *_, detail in at.steps if "clock is" in detail]


@pytest.mark.parametrize(("clock", "reason"), [(300.0, "wrong_clock"), (0.0, "code_refused")])
def test_a_code_that_is_refused_is_blamed_on_the_clock_only_where_it_is_wrong(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch, clock: float, reason: str
) -> None:
    monkeypatch.setattr("automation.scripts.login.PERIOD", 1000.0)
    at = stage({"app": IG}, logins=[login(IG, "alice", totp_secret=SECRET)], clock=clock)
    now = int(time.time()) // 30 * 30
    refused = [[now - 30, "000000"], [now, "000001"]]

    assert at.run(ticket("login", IG, account={"codes": refused})).reason == reason
    assert len(at.touches("type", "ig.2fa_totp")) == 2


# --- once


@pytest.mark.parametrize("app", [IG, TT])
def test_a_crash_after_the_password_is_blamed_on_nobody_and_nothing_is_sent_again(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    at = stage({"app": app, "signed_in": ["bob"]})
    phone = at.farm.phone("P1")
    there = phone.apps[PACKAGES[app]]
    monkeypatch.setattr(there, "submit", lambda: phone.crash(there))
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason) == ("needs_person", "no_progress")
    assert len(at.touches("type")) == 2


def test_what_fields_say_is_never_believed(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    at = stage({"app": IG})
    there = at.farm.phone("P1").apps[PACKAGES[IG]]
    monkeypatch.setattr(there, "shown", lambda entry, hint, secret=False: hint)

    assert at.run(ticket("login", IG)).reason == "signed_in"
    assert len(at.touches("type")) == 2


def test_a_keyboard_over_the_button_is_put_away(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    at = stage({"app": IG}, keyboard=True)
    there = at.farm.phone("P1").apps[PACKAGES[IG]]
    real = there.form

    def low(with_user: bool) -> list[Any]:
        nodes = real(with_user)
        for node in [one for one in nodes if one.desc == "Log in"]:
            node.box = (66, 1700, 1014, 1810)
        return nodes

    monkeypatch.setattr(there, "form", low)
    assert at.run(ticket("login", IG)).reason == "signed_in"


def test_sync_says_that_the_account_was_logged_out_elsewhere(stage: MakeStage) -> None:
    result = stage({"app": TT, "signed_in": ["alice"], "popups": ["logged_out"]}).run(ticket("sync", TT))

    assert (result.outcome, result.reason, result.data) == (
        "failed",
        "logged_out_elsewhere",
        {"logined": False},
    )
