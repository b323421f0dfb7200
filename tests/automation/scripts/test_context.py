"""The rules of reading, tapping and ending, on a phone in memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from automation.scripts import base
from automation.scripts.base import AccountError, NeedsPerson, Result, run_script, script
from automation.scripts.context import MOVES, Context, Pace
from automation.scripts.login import Login
from automation.scripts.reasons import REASONS
from devices.phones.errors import PhoneError, PhoneHung
from tests.automation.dumps import IG, TT, drawn, dump, node
from tests.automation.scripts.fake import FakePhone
from tests.automation.scripts.rigs import ticket

FAST = Pace(poll=0.01, settle=0.05, unknown=0.05, unreadable=0.05, loading=0.1)
FORM = drawn("instagram", "login_form", fields={})
LANDING = drawn("instagram", "landing")
STRANGE = dump(node(text="never seen before"))
HOME = drawn("instagram", "home")


def context(phone: FakePhone, **account: Any) -> Context:
    return Context(phone, ticket("login", "instagram", account=account), lambda *_: None, FAST)


def run(phone: FakePhone, report: Callable[..., None] = lambda *_: None, **account: Any) -> Result:
    return run_script("login", phone, ticket("login", "instagram", account=account), report, FAST)


def test_an_unknown_screen_is_for_a_person_and_is_never_tapped() -> None:
    phone = FakePhone(STRANGE)
    result = run(phone)

    assert (result.outcome, result.reason) == ("needs_person", "unknown_screen")
    assert "tap" not in phone.done


def test_an_unknown_screen_may_pass_by() -> None:
    phone = FakePhone(STRANGE)
    looks = iter([STRANGE, STRANGE, LANDING])
    phone.on_dump = lambda: phone.screens.__setitem__(0, next(looks, LANDING))

    patient = Context(phone, ticket("login", "instagram"), lambda *_: None, replace(FAST, unknown=10))
    assert patient.read().screen == "ig.landing"
    assert not [one for one in phone.done if one.startswith("stop")]


def test_the_app_is_restarted_once_before_an_unknown_screen_is_given_up() -> None:
    phone = FakePhone(STRANGE)
    run(phone)

    assert len([one for one in phone.done if one.startswith("stop")]) == 1


def test_the_app_is_not_restarted_after_a_form_was_sent_off() -> None:
    phone = FakePhone(LANDING, FORM, FORM, FORM, STRANGE)  # the way in, two texts, then the button
    result = run(phone)

    assert result.reason == "unknown_screen"
    assert not [one for one in phone.done if one.startswith("stop")]


def test_the_same_is_tapped_at_most_twice_on_a_screen_that_does_not_change() -> None:
    phone = FakePhone(LANDING)
    result = run(phone)

    assert (result.outcome, result.reason) == ("needs_person", "no_progress")
    assert phone.done.count("tap") == 2


def test_a_password_is_sent_once_though_nothing_at_all_changes() -> None:
    phone = FakePhone(FORM)
    result = run(phone)

    assert (result.outcome, result.reason) == ("needs_person", "no_progress")
    assert (phone.done.count("type"), phone.done.count("tap")) == (2, 1)


def test_a_form_that_comes_back_is_not_filled_in_again() -> None:
    phone = FakePhone(FORM, FORM, FORM, FORM, drawn("instagram", "loading"))  # it begins with a restart
    seen = iter([drawn("instagram", "loading")] * 2)
    phone.on_dump = lambda: phone.screens.__setitem__(0, next(seen, FORM)) if "tap" in phone.done else None
    result = run(phone)

    assert (result.outcome, result.reason) == ("needs_person", "no_progress")
    assert phone.done.count("type") == 2


def test_a_run_that_goes_round_in_circles_ends() -> None:
    landing = [LANDING.replace('index="0"', f'index="{n}"') for n in range(3)]
    sheet = drawn("instagram", "account_switcher", accounts=["bob"], active="bob")
    phone = FakePhone(*[landing[0], sheet, drawn("instagram", "own_profile", active="bob")] * MOVES)
    result = run(phone)

    assert result.outcome == "needs_person"
    assert len(phone.done) <= MOVES + 5


def test_a_screen_for_a_person_is_believed_only_when_it_stays() -> None:
    captcha = drawn("instagram", "challenge_identity")
    phone = FakePhone(LANDING)
    looks = iter([captcha, LANDING])
    phone.on_dump = lambda: phone.screens.__setitem__(0, next(looks, LANDING))

    assert context(phone).read().screen == "ig.landing"


def test_another_app_in_front_is_answered_by_starting_ours_again() -> None:
    other = dump(*[node("Button", package="com.other", text=str(number)) for number in range(5)])
    phone = FakePhone(other)
    result = run(phone)

    assert result.reason == "unknown_screen"
    assert 2 <= len([one for one in phone.done if one.startswith("start")]) <= 5


def test_a_loading_screen_is_waited_for_but_not_for_ever() -> None:
    begun = time.monotonic()
    phone = FakePhone(drawn("instagram", "loading"))
    result = run(phone)

    assert result.reason == "no_progress"
    assert len([one for one in phone.done if one.startswith("stop")]) == 1
    assert time.monotonic() - begun < 2


def test_a_step_that_fails_is_reported_as_failed() -> None:
    steps: list[tuple[str, float, bool, str]] = []
    run(FakePhone(LANDING), lambda *step: steps.append(step))

    assert [ok for _, _, ok, _ in steps][-1] is False


def test_a_step_names_the_alternative_that_had_to_do() -> None:
    steps: list[tuple[str, float, bool, str]] = []
    run(FakePhone(LANDING), lambda *step: steps.append(step))

    assert "log_in#1" in steps[1][3]


def test_match_keeps_the_account_it_read_before_the_list_became_unreadable() -> None:
    phone = FakePhone(drawn("instagram", "own_profile"), STRANGE)
    result = run_script("match", phone, ticket("match", packages={"instagram": [IG]}), pace=FAST)

    assert result.data["found"] == [
        {"app": "instagram", "package": IG, "usernames": ["alice"], "active": "alice"}
    ]
    assert result.data["unreadable"] == [{"app": "instagram", "package": IG, "reason": "unknown_screen"}]


def test_a_form_for_somebody_else_is_left_by_back() -> None:
    other = drawn("instagram", "login_password_only", fields={"user": "bob"})
    phone = FakePhone(LANDING, other, FORM)
    run(phone)

    assert phone.done[:4] == ["start " + IG, "tap", "press back", "type"]


# --- what an earlier run left open


def test_a_screen_of_android_itself_is_not_answered_by_a_restart() -> None:
    phone = FakePhone(
        dump(node(id="com.android.systemui:id/keyguard_pin_view", package="com.android.systemui"))
    )
    result = run(phone)

    assert (result.outcome, result.reason) == ("needs_person", "phone_locked")
    assert not [one for one in phone.done if one.startswith("stop")]


def test_the_app_is_restarted_once_at_most_for_all_that_was_left_open() -> None:
    captcha = drawn("instagram", "challenge_identity")
    phone = FakePhone(FORM, captcha, STRANGE)
    result = run(phone)

    assert result.outcome == "needs_person"
    assert len([one for one in phone.done if one.startswith("stop")]) == 1


def test_a_form_at_which_the_app_begins_needs_no_restart() -> None:
    phone = FakePhone(LANDING, FORM)
    run(phone)

    assert not [one for one in phone.done if one.startswith("stop")]


# --- codes


class Clock:
    """A time that passes only in sleeps."""

    def __init__(self, at: float) -> None:
        self.at, self.slept = at, 0.0

    def sleep(self, seconds: float) -> None:
        self.at, self.slept = self.at + seconds, self.slept + seconds


def code_giver(monkeypatch: pytest.MonkeyPatch, at: float) -> tuple[Login, Clock]:
    clock = Clock(at)
    here = context(FakePhone(FORM), codes=[[1020, "later!"], [990, "now!!!"], [960, "past!!"]])
    monkeypatch.setattr(here, "now", lambda: clock.at)
    monkeypatch.setattr(here.phone.deadline, "sleep", clock.sleep)
    return Login(here), clock


def test_the_code_of_this_period_is_given_when_it_lasts_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    login, clock = code_giver(monkeypatch, at=1010)

    assert (login.next_code(), clock.slept) == ("now!!!", 0)


def test_a_code_that_is_about_to_expire_is_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    login, clock = code_giver(monkeypatch, at=1016)

    assert (login.next_code(), clock.at) == ("later!", 1020)


def test_the_second_code_is_that_of_the_next_period(monkeypatch: pytest.MonkeyPatch) -> None:
    login, clock = code_giver(monkeypatch, at=1000)

    assert [login.next_code(), login.next_code()] == ["now!!!", "later!"]
    assert clock.at == 1020


def test_a_code_is_tried_twice_and_then_a_person_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    given = [[now - 5, "111111"], [now, "222222"], [now + 0.2, "333333"]]
    phone = FakePhone(drawn("instagram", "2fa_totp", fields={}))
    result = run(phone, codes=given)

    assert (result.outcome, result.reason) == ("needs_person", "code_refused")
    assert phone.texts == ["111111", "222222"]


def test_codes_that_have_expired_are_not_typed() -> None:
    phone = FakePhone(drawn("instagram", "2fa_totp", fields={}))
    result = run(phone, codes=[[time.time() - 100, "111111"]])

    assert (result.outcome, result.reason) == ("needs_person", "two_factor")
    assert phone.texts == []


# --- ends


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], Result]:
    """The result of a script that raises."""

    def of(error: Exception) -> Result:
        monkeypatch.setattr(base, "SCRIPTS", {})

        @script("bad", label="Bad")
        def bad(context: Context) -> Result:
            raise error

        return run_script("bad", FakePhone(HOME), ticket("bad", "instagram"))

    return of


def test_what_the_account_did_is_a_failure(named: Callable[[Exception], Result]) -> None:
    result = named(AccountError("wrong_password", data={"a": 1}))

    assert (result.outcome, result.reason, result.data) == ("failed", "wrong_password", {"a": 1})


def test_what_a_person_must_do_is_said(named: Callable[[Exception], Result]) -> None:
    assert named(NeedsPerson("captcha")).outcome == "needs_person"


def test_what_the_phone_did_is_a_failure_with_its_own_reason(named: Callable[[Exception], Result]) -> None:
    result = named(PhoneHung())

    assert (result.outcome, result.reason, result.transient) == ("failed", "phone_hung", True)


def test_a_defect_of_ours_goes_on_to_the_caller(named: Callable[[Exception], Result]) -> None:
    with pytest.raises(ZeroDivisionError):
        named(ZeroDivisionError())


def test_an_unknown_script_is_a_failure() -> None:
    assert run_script("nonsense", FakePhone(HOME), ticket("nonsense")).reason == "unknown_script"


def test_two_scripts_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match="two scripts"):
        script("login", label="Again")(lambda context: Result("succeeded", ""))


def test_every_reason_of_the_phone_has_its_sentence() -> None:
    def below(kind: type[PhoneError]) -> list[type[PhoneError]]:
        return [kind, *(more for one in kind.__subclasses__() for more in below(one))]

    assert {kind.reason for kind in below(PhoneError)} <= REASONS.keys()


def test_every_reason_has_a_sentence_that_ends() -> None:
    for code, reason in REASONS.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert reason.sentence.endswith(".")
        assert not reason.action or reason.action.endswith(".")


def test_what_stays_and_shows_nothing_is_known_by_its_activity() -> None:
    phone = FakePhone(dump(node("FrameLayout", node("View", package=TT), package=TT)), installed=(TT,))
    phone.in_front = f"{TT}/com.bytedance.bdturing.VerifyActivity"
    one = Context(phone, ticket("login", "tiktok", account={}), lambda *_: None, FAST)
    one.open("tiktok", TT)

    assert [one.look().screen for _ in range(3)] == ["", "tt.captcha", "tt.captcha"]
    assert phone.asked_front == 1


def test_what_was_in_front_before_a_restart_says_nothing_of_what_is_after_it() -> None:
    phone = FakePhone(dump(node("FrameLayout", package=TT)), installed=(IG, TT))
    phone.in_front = f"{TT}/com.ss.android.ugc.aweme.TwoStepAuthActivity"
    phone.stop_app = lambda _package: setattr(phone, "in_front", f"{TT}/com.ss.SplashActivity")  # type: ignore[method-assign]
    result = run_script("login", phone, ticket("login", "tiktok"), pace=FAST)

    assert (result.outcome, result.reason) == ("needs_person", "unreadable_screen")


def test_a_dump_of_what_is_no_longer_in_front_is_told_to_be_stale() -> None:
    phone = FakePhone(STRANGE)
    phone.in_front = "com.miui.home/.Launcher"

    one = context(phone)
    assert [one.look().why for _ in range(2)] == ["", "stale"]


def test_android_is_not_asked_what_is_in_front_while_screens_are_known_or_change() -> None:
    phone = FakePhone(HOME)
    one = context(phone)
    looks = iter([HOME, HOME, STRANGE, HOME, STRANGE.replace("never", "ever")])
    phone.on_dump = lambda: phone.screens.__setitem__(0, next(looks))
    for _ in range(5):
        one.look()

    assert phone.asked_front == 0
