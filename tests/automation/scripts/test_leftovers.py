"""Login where an earlier run, or a person, left something open: it is nobody's answer."""

from __future__ import annotations

import pytest

from tests.automation.scripts.conftest import MakeStage
from tests.automation.scripts.rigs import PACKAGES, PASSWORD, SECRET, Stage, codes, login, ticket

APPS = ["instagram", "tiktok"]
NO_PASSWORD = {"password": ""}
WRONG = {"password": "not this one"}
FORMS = [("instagram", "login_form"), ("instagram", "add_account_sheet"), ("tiktok", "login_sheet"),
         ("tiktok", "login_phone_tab"), ("tiktok", "login_email_tab"), ("tiktok", "login_password")]  # fmt: skip


def begin_with(at: Stage, app: str, screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the app come up with this screen every time."""
    monkeypatch.setattr(at.farm.phone("P1").apps[PACKAGES[app]], "first_screen", lambda: screen)


def counted(at: Stage, kind: str) -> int:
    return len(at.touches(kind))


# --- the answer to an earlier run


@pytest.mark.parametrize("app", APPS)
def test_after_a_wrong_password_the_right_one_is_tried(stage: MakeStage, app: str) -> None:
    at = stage({"app": app})
    assert at.run(ticket("login", app, account=WRONG)).reason == "wrong_password"
    left = at.farm.screen("P1")
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason) == ("succeeded", "signed_in")
    assert at.signed_in(app) == ["alice"]
    assert not at.touches("click", left)
    assert counted(at, "stop_app") == 1


@pytest.mark.parametrize("app", APPS)
def test_a_wrong_password_is_tried_in_every_run_that_is_asked_for(stage: MakeStage, app: str) -> None:
    at = stage({"app": app})
    results = [at.run(ticket("login", app, account=WRONG)).reason for _ in range(2)]

    assert results == ["wrong_password", "wrong_password"]
    assert [touch["length"] for touch in at.touches("type")].count(len(WRONG["password"])) == 2


@pytest.mark.parametrize("app", APPS)
def test_a_wrong_password_is_not_blamed_on_another_account(stage: MakeStage, app: str) -> None:
    at = stage({"app": app})
    at.run(ticket("login", app, "bob", account=WRONG))

    assert at.run(ticket("login", app)).reason == "signed_in"


@pytest.mark.parametrize("behaviour", ["captcha", "email_code", "suspicious", "suspended"])
@pytest.mark.parametrize("app", APPS)
def test_a_screen_for_the_person_of_another_account_does_not_stop_this_one(
    stage: MakeStage, app: str, behaviour: str
) -> None:
    at = stage({"app": app}, logins=[login(app, "alice"), login(app, "bob", behaviour=behaviour)])
    at.run(ticket("login", app, "bob"))
    left = at.farm.screen("P1")

    assert at.run(ticket("login", app)).reason == "signed_in"
    assert not at.touches("click", left)


def test_a_code_is_not_typed_into_the_second_factor_of_another_account(stage: MakeStage) -> None:
    known = [login("instagram", "alice", totp_secret=SECRET), login("instagram", "bob", totp_secret=SECRET)]
    at = stage({"app": "instagram"}, logins=known)
    assert at.run(ticket("login", "instagram", "bob")).reason == "two_factor"

    assert at.run(ticket("login", "instagram", account={"codes": codes()})).reason == "signed_in"
    assert at.signed_in("instagram") == ["alice"]


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("behaviour", ["captcha", "ok"])
def test_without_a_password_the_answer_to_another_account_is_no_news(
    stage: MakeStage, app: str, behaviour: str
) -> None:
    at = stage({"app": app}, logins=[login(app, "bob", behaviour=behaviour), login(app, "alice")])
    at.run(ticket("login", app, "bob", account=WRONG if behaviour == "ok" else {}))

    assert at.run(ticket("login", app, account=NO_PASSWORD)).reason == "no_password"


# --- what the app shows by itself


@pytest.mark.parametrize(("app", "screen", "outcome", "reason"), [
    ("instagram", "suspended", "failed", "banned"),
    ("instagram", "rate_limited", "failed", "rate_limited"),
    ("tiktok", "captcha", "needs_person", "captcha"),
])  # fmt: skip
def test_what_is_there_after_a_restart_too_is_real(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch, app: str, screen: str, outcome: str, reason: str
) -> None:
    at = stage({"app": app, "signed_in": ["bob"]})
    begin_with(at, app, screen, monkeypatch)
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason) == (outcome, reason)
    assert (counted(at, "stop_app"), counted(at, "click"), counted(at, "clear_app")) == (1, 0, 0)


@pytest.mark.parametrize(
    ("app", "screen"),
    [("instagram", "wrong_password"), ("instagram", "no_such_account"), ("tiktok", "wrong_password")],
)
def test_an_answer_that_nobody_asked_for_is_for_a_person(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch, app: str, screen: str
) -> None:
    at = stage({"app": app})
    begin_with(at, app, screen, monkeypatch)
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason) == ("needs_person", "no_progress")
    assert (counted(at, "stop_app"), counted(at, "click"), counted(at, "type")) == (1, 0, 0)


def test_what_follows_the_choice_of_an_account_is_its_answer(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stage({"app": "instagram", "saved": ["alice"]})
    there = at.farm.phone("P1").apps[PACKAGES["instagram"]]
    monkeypatch.setattr(there, "continue_as", lambda name: there.goer("suspended"))
    result = at.run(ticket("login", "instagram"))

    assert (result.outcome, result.reason) == ("failed", "banned")
    assert counted(at, "stop_app") == 0


@pytest.mark.parametrize("app", APPS)
def test_what_follows_a_switch_is_the_answer_of_the_account_that_was_picked(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    screen = "suspended" if app == "instagram" else "banned"
    at = stage({"app": app, "signed_in": ["bob", "alice"]})
    there = at.farm.phone("P1").apps[PACKAGES[app]]
    monkeypatch.setattr(there, "switch_to", lambda name: there.goer(screen))

    assert at.run(ticket("login", app)).reason == "banned"
    if app == "tiktok":
        there.start()
        assert at.run(ticket("sync", app)).reason == "banned"
    assert counted(at, "stop_app") == 0


def test_the_restart_is_among_the_steps(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "signed_in": ["alice"]})
    at.leave_open("instagram", "wrong_password")
    at.run(ticket("login", "instagram"))

    assert ("leave what an earlier run left open", "ig.wrong_password") in [
        (one[0], one[3]) for one in at.steps
    ]


# --- a form that this run did not open


@pytest.mark.parametrize(("app", "screen"), FORMS)
def test_behind_a_form_that_was_left_open_the_account_is_found(
    stage: MakeStage, app: str, screen: str
) -> None:
    at = stage({"app": app, "signed_in": ["alice", "bob"]})
    at.run(ticket("login", app))
    at.leave_open(app, screen)
    result = at.run(ticket("login", app))

    assert (result.outcome, result.reason) == ("succeeded", "already_signed_in")
    assert (counted(at, "stop_app"), counted(at, "type")) == (1, 0)


@pytest.mark.parametrize(("app", "screen"), FORMS)
def test_behind_a_form_that_was_left_open_the_account_is_switched_to(
    stage: MakeStage, app: str, screen: str
) -> None:
    at = stage({"app": app, "signed_in": ["bob", "alice"]})
    at.run(ticket("login", app, "bob"))
    at.leave_open(app, screen)

    assert at.run(ticket("login", app)).reason == "switched"
    assert counted(at, "type") == 0


@pytest.mark.parametrize(("app", "screen"), FORMS)
def test_a_login_that_was_lost_in_a_form_begins_again(stage: MakeStage, app: str, screen: str) -> None:
    at = stage({"app": app, "signed_in": ["bob"]})
    at.run(ticket("login", app, "bob"))
    at.leave_open(app, screen)

    assert at.run(ticket("login", app)).reason == "signed_in"
    assert [touch["length"] for touch in at.touches("type")] == [len("alice"), len(PASSWORD)]


@pytest.mark.parametrize("signed_in", [[], ["bob"], ["bob", "alice"], ["alice"]])
@pytest.mark.parametrize("app", APPS)
def test_a_login_that_finds_nothing_left_open_restarts_nothing(
    stage: MakeStage, app: str, signed_in: list[str]
) -> None:
    at = stage({"app": app, "signed_in": signed_in})

    assert at.run(ticket("login", app)).outcome == "succeeded"
    assert counted(at, "stop_app") == 0


# --- without a password


@pytest.mark.parametrize("signed_in", [["alice", "bob"], ["bob", "alice"]])
@pytest.mark.parametrize("app", APPS)
def test_an_account_that_is_in_needs_no_password(stage: MakeStage, app: str, signed_in: list[str]) -> None:
    at = stage({"app": app, "signed_in": signed_in})

    assert at.run(ticket("login", app, account=NO_PASSWORD)).outcome == "succeeded"
    assert at.signed_in(app)[0] == "alice"


@pytest.mark.parametrize(("app", "signed_in", "stays"), [
    ("instagram", [], "ig.landing"), ("instagram", ["bob"], "ig.own_profile"),
    ("tiktok", [], "tt.profile_logged_out"), ("tiktok", ["bob"], "tt.own_profile"),
])  # fmt: skip
def test_without_a_password_no_form_is_opened(
    stage: MakeStage, app: str, signed_in: list[str], stays: str
) -> None:
    at = stage({"app": app, "signed_in": signed_in})
    result = at.run(ticket("login", app, account=NO_PASSWORD))

    assert (result.outcome, result.reason) == ("failed", "no_password")
    assert at.farm.screen("P1") == stays
    assert not {touch["screen"] for touch in at.touches()} & {"ig.login_form", "tt.login_sheet"}


@pytest.mark.parametrize(("app", "screen"), FORMS)
def test_without_a_password_a_form_that_was_left_open_is_left(
    stage: MakeStage, app: str, screen: str
) -> None:
    at = stage({"app": app, "signed_in": ["bob"]})
    at.run(ticket("login", app, "bob"))
    at.leave_open(app, screen)

    assert at.run(ticket("login", app, account=NO_PASSWORD)).reason == "no_password"
    assert at.farm.screen("P1").endswith("own_profile")


def test_without_a_password_an_app_that_begins_with_a_form_is_stopped(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stage({"app": "instagram"})
    begin_with(at, "instagram", "login_form", monkeypatch)

    assert at.run(ticket("login", "instagram", account=NO_PASSWORD)).reason == "no_password"
    assert at.farm.states()[0]["front"] != PACKAGES["instagram"]
