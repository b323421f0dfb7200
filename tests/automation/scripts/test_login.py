"""Login on simulated phones, from whatever screen the phone happens to show."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneOffline
from tests.automation.scripts.conftest import MakeStage
from tests.automation.scripts.rigs import PASSWORD, SECRET, codes, login, ticket
from tests.phones import wait_for

APPS = ["instagram", "tiktok"]
MAIL = {"email": "alice@mail.example"}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("app", APPS)
def test_an_account_with_an_email_logs_in_by_it(stage: MakeStage, app: str, language: str) -> None:
    at = stage({"app": app, "language": language})
    result = at.run(ticket("login", app, account=MAIL))

    assert (result.outcome, result.reason) == ("succeeded", "signed_in")
    assert result.data == {"logined": True, "handle": "alice"}
    assert at.signed_in(app) == ["alice"]
    assert [touch["length"] for touch in at.touches("type")] == [len(MAIL["email"]), len(PASSWORD)]


@pytest.mark.parametrize("app", APPS)
def test_without_an_email_the_username_is_typed(stage: MakeStage, app: str) -> None:
    at = stage({"app": app})
    result = at.run(ticket("login", app))

    assert result.reason == "signed_in"
    assert at.touches("type")[0]["length"] == len("alice")


@pytest.mark.parametrize("username", ["@Alice", " ALICE ", "alice"])
def test_a_username_is_compared_without_at_and_case(stage: MakeStage, username: str) -> None:
    at = stage({"app": "tiktok", "signed_in": ["alice"]})

    assert at.run(ticket("login", "tiktok", username)).reason == "already_signed_in"


@pytest.mark.parametrize("app", APPS)
def test_an_account_that_is_signed_in_already_is_left_alone(stage: MakeStage, app: str) -> None:
    at = stage({"app": app, "signed_in": ["alice", "bob"]})
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason, result.data["logined"]) == ("succeeded", "already_signed_in", True)
    assert not at.touches("type")


@pytest.mark.parametrize("app", APPS)
def test_an_account_behind_another_one_is_switched_to(stage: MakeStage, app: str) -> None:
    at = stage({"app": app, "signed_in": ["bob", "alice"]})
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason) == ("succeeded", "switched")
    assert at.signed_in(app)[0] == "alice"
    assert not at.touches("type")


@pytest.mark.parametrize("popups", [[], ["add_account_sheet"]])
@pytest.mark.parametrize("app", APPS)
def test_an_account_is_added_beside_another_one(stage: MakeStage, app: str, popups: list[str]) -> None:
    at = stage({"app": app, "signed_in": ["bob"], "popups": popups})
    result = at.run(ticket("login", app))

    assert result.reason == "signed_in"
    assert at.signed_in(app) == ["alice", "bob"]


def test_prompts_on_the_way_are_declined(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "popups": ["permission", "notifications"]})

    assert at.run(ticket("login", "instagram")).reason == "signed_in"
    assert "alice" not in at.farm.phone("P1").apps["com.instagram.android"].remembered


def test_the_terms_of_tiktok_do_not_stand_in_the_way(stage: MakeStage) -> None:
    at = stage({"app": "tiktok", "popups": ["terms"]})

    assert at.run(ticket("login", "tiktok")).reason == "signed_in"


@pytest.mark.parametrize(("saved", "screen"), [(["alice"], "ig.landing_saved_one"), (["bob"], "ig.landing_saved_one"),
                                                (["bob", "alice"], "ig.account_picker")])  # fmt: skip
def test_accounts_that_the_app_remembers_lead_in_too(stage: MakeStage, saved: list[str], screen: str) -> None:
    at = stage({"app": "instagram", "saved": saved})

    assert at.run(ticket("login", "instagram")).reason == "signed_in"
    assert at.touches("click", screen)


def test_a_password_is_never_typed_for_somebody_else(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "saved": ["bob"]})
    app = at.farm.phone("P1").apps["com.instagram.android"]
    at.run(ticket("login", "instagram"))  # brings the app up
    app.accounts, app.fields = [], {"user": "bob"}
    app.go("login_password_only")
    before = len(at.touches("type", "ig.login_password_only"))
    at.run(ticket("login", "instagram"))

    assert len(at.touches("type", "ig.login_password_only")) == before


# --- the app says no


@pytest.mark.parametrize("app", APPS)
def test_a_wrong_password_is_typed_once_and_never_again(stage: MakeStage, app: str) -> None:
    at = stage({"app": app}, logins=[login(app, "alice", password="another")])
    result = at.run(ticket("login", app, account=MAIL))

    assert (result.outcome, result.reason) == ("failed", "wrong_password")
    assert len(at.touches("type")) == 2
    assert not at.touches(screen=f"{app[0]}{'g' if app == 'instagram' else 't'}.wrong_password")


def test_an_account_that_does_not_exist_fails(stage: MakeStage) -> None:
    at = stage({"app": "instagram"})

    assert at.run(ticket("login", "instagram", "nobody")).reason == "no_such_account"


def test_an_email_of_another_account_is_found_out(stage: MakeStage) -> None:
    at = stage({"app": "instagram"})
    result = at.run(ticket("login", "instagram", account={"email": "bob@mail.example"}))

    assert (result.outcome, result.reason) == ("failed", "other_account")


def test_an_account_without_a_password_types_nothing(stage: MakeStage) -> None:
    at = stage({"app": "instagram"})

    assert at.run(ticket("login", "instagram", account={"password": ""})).reason == "no_password"
    assert not at.touches("type")


PERSON = [
    ("instagram", "captcha", "needs_person", "captcha"),
    ("instagram", "email_code", "needs_person", "email_code"),
    ("instagram", "suspicious", "needs_person", "suspicious_login"),
    ("instagram", "suspended", "failed", "banned"),
    ("instagram", "rate_limited", "failed", "rate_limited"),
    ("tiktok", "captcha", "needs_person", "captcha"),
    ("tiktok", "email_code", "needs_person", "email_code"),
    ("tiktok", "suspicious", "needs_person", "identity_check"),
    ("tiktok", "suspended", "failed", "banned"),
    ("tiktok", "rate_limited", "failed", "rate_limited"),
]


@pytest.mark.parametrize(("app", "behaviour", "outcome", "reason"), PERSON)
def test_a_screen_for_a_person_is_handed_over_untouched(
    stage: MakeStage, app: str, behaviour: str, outcome: str, reason: str
) -> None:
    at = stage({"app": app}, logins=[login(app, "alice", behaviour=behaviour)])
    result = at.run(ticket("login", app))
    screen = at.farm.screen("P1")

    assert (result.outcome, result.reason) == (outcome, reason)
    assert not at.touches(screen=screen), screen
    again = at.run(ticket("login", app))
    assert (again.outcome, again.reason) == (outcome, reason)
    assert not at.touches("click", screen)
    assert not at.touches("type", screen)


# --- second factor


def test_instagram_gets_its_authenticator_code(stage: MakeStage) -> None:
    at = stage({"app": "instagram"}, logins=[login("instagram", "alice", totp_secret=SECRET)])

    assert at.run(ticket("login", "instagram", account={"codes": codes()})).reason == "signed_in"


def test_the_way_to_the_authenticator_is_found_from_an_approval_elsewhere(stage: MakeStage) -> None:
    known = login("instagram", "alice", totp_secret=SECRET, behaviour="approve_elsewhere")
    at = stage({"app": "instagram"}, logins=[known])

    assert at.run(ticket("login", "instagram", account={"codes": codes()})).reason == "signed_in"


@pytest.mark.parametrize(
    ("behaviour", "reason"), [("ok", "two_factor"), ("approve_elsewhere", "approve_elsewhere")]
)
def test_without_a_secret_a_second_factor_is_for_a_person(
    stage: MakeStage, behaviour: str, reason: str
) -> None:
    known = login("instagram", "alice", totp_secret=SECRET, behaviour=behaviour)
    at = stage({"app": "instagram"}, logins=[known])
    result = at.run(ticket("login", "instagram"))

    assert (result.outcome, result.reason) == ("needs_person", reason)
    assert not at.touches("click", at.farm.screen("P1"))


def test_a_challenge_without_an_authenticator_is_for_a_person(stage: MakeStage) -> None:
    at = stage({"app": "instagram"}, logins=[login("instagram", "alice", behaviour="approve_elsewhere")])
    result = at.run(ticket("login", "instagram", account={"codes": codes()}))

    assert (result.outcome, result.reason) == ("needs_person", "identity_check")


# --- the phone


def test_a_phone_that_goes_offline_ends_the_run_with_its_reason(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "delay": 0.5})
    threading.Timer(0.4, lambda: at.farm.set("P1", fault="offline")).start()
    result = at.run(ticket("login", "instagram"))

    assert result.outcome == "failed"
    assert result.reason in ("phone_offline", "ui_service_down")
    assert result.transient


def test_a_phone_that_is_offline_cannot_be_opened(stage: MakeStage) -> None:
    at = stage({"app": "instagram"})
    at.farm.set("P1", fault="offline")
    wait_for(lambda: all(one.state != "device" for one in at.adb.server.phones()))

    with pytest.raises(PhoneOffline):
        at.run(ticket("login", "instagram"))


def test_a_cancel_reaches_a_phone_that_hangs_within_a_second(stage: MakeStage) -> None:
    at, deadline, canceled = stage({"app": "instagram", "delay": 0.3}), Deadline(60), []

    def cancel() -> None:
        at.farm.set("P1", fault="hang")
        time.sleep(0.3)
        canceled.append(time.monotonic())
        deadline.cancel("by Alice")

    threading.Timer(0.2, cancel).start()
    result = at.run(ticket("login", "instagram"), deadline=deadline)

    assert time.monotonic() - canceled[0] < 1
    assert (result.outcome, result.reason, result.message) == ("canceled", "canceled", "by Alice")


def test_an_app_that_is_not_installed_is_said_to_be_missing(stage: MakeStage) -> None:
    assert stage({"app": "tiktok"}).run(ticket("login", "instagram")).reason == "app_missing"


def test_an_app_that_crashes_time_and_again_is_for_a_person(stage: MakeStage) -> None:
    at = stage({"app": "instagram"})
    at.farm.set("P1", fault="app_crash")
    result = at.run(ticket("login", "instagram"))

    assert (result.outcome, result.reason) == ("needs_person", "app_crashes")


def test_an_update_prompt_without_any_text_is_for_a_person(stage: MakeStage) -> None:
    at = stage({"app": "tiktok", "popups": ["update"]})
    result = at.run(ticket("login", "tiktok"))

    assert (result.outcome, result.reason) == ("needs_person", "unreadable_screen")
    assert not at.touches("click")
    assert not at.touches("clear_app")


@pytest.mark.parametrize("keyboard", [False, True])
def test_a_keyboard_window_is_no_obstacle(stage: MakeStage, keyboard: bool) -> None:
    at = stage({"app": "instagram"}, keyboard=keyboard)

    assert at.run(ticket("login", "instagram")).reason == "signed_in"


# --- secrets


def test_no_secret_is_in_a_log_a_step_or_a_result(stage: MakeStage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    at = stage({"app": "instagram"}, logins=[login("instagram", "alice", totp_secret=SECRET)])
    given = ticket("login", "instagram", account={"codes": codes()})
    result = at.run(given)

    everything = caplog.text + str([one.__dict__ for one in caplog.records]) + repr((result, at.steps, given))
    assert result.reason == "signed_in"
    for secret in (PASSWORD, repr(PASSWORD)[1:-1], *(code for _, code in codes())):
        assert secret not in everything


def test_every_step_is_reported_with_its_screen(stage: MakeStage) -> None:
    at = stage({"app": "instagram"})
    at.run(ticket("login", "instagram"))

    assert at.steps[0][0] == "open the app"
    assert all(ok for _, _, ok, _ in at.steps)
    assert [detail for *_, detail in at.steps if detail.startswith("ig.login_form")]
