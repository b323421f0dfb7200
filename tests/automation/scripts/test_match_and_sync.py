"""Match and sync on simulated phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.phones.errors import UiServiceDown
from devices.phones.u2_phone import U2Phone
from tests.automation.scripts.conftest import MakeStage
from tests.automation.scripts.rigs import PACKAGES, login, ticket

LOOK_FOR = {"instagram": [PACKAGES["instagram"]], "tiktok": [PACKAGES["tiktok"], "com.ss.android.ugc.trill"]}
MATCH = ticket("match", packages=LOOK_FOR)


def found(app: str, *usernames: str) -> dict[str, object]:
    active = usernames[0] if usernames else ""
    return {"app": app, "package": PACKAGES[app], "usernames": list(usernames), "active": active}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_account_of_every_app_is_found(stage: MakeStage, language: str) -> None:
    apps = [{"app": app, "language": language, "signed_in": ["bob", "carol"]} for app in PACKAGES]
    result = stage(*apps).run(MATCH)

    assert (result.outcome, result.reason) == ("succeeded", "matched")
    assert result.data["found"] == [found("instagram", "bob", "carol"), found("tiktok", "bob", "carol")]
    assert result.data["unreadable"] == []


def test_matching_twice_finds_the_same_and_changes_nothing(stage: MakeStage) -> None:
    at = stage(*({"app": app, "signed_in": ["bob", "carol"]} for app in PACKAGES))
    first, second = at.run(MATCH), at.run(MATCH)

    assert first.data == second.data
    assert at.signed_in("instagram") == at.signed_in("tiktok") == ["bob", "carol"]
    assert not at.touches("type")


def test_the_phone_is_left_at_home_with_the_apps_stopped(stage: MakeStage) -> None:
    at = stage(*({"app": app, "signed_in": ["bob"]} for app in PACKAGES))
    at.run(MATCH)

    assert at.farm.states()[0]["front"] not in PACKAGES.values()
    assert not at.touches("clear_app")


def test_a_signed_out_app_has_no_accounts(stage: MakeStage) -> None:
    at = stage({"app": "instagram"}, {"app": "tiktok"})

    assert at.run(MATCH).data["found"] == [found("instagram"), found("tiktok")]


def test_an_account_that_an_app_only_remembers_is_not_signed_in(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "saved": ["alice", "bob"]})

    assert at.run(MATCH).data["found"] == [found("instagram")]


def test_an_app_that_is_not_installed_is_left_out(stage: MakeStage) -> None:
    at = stage({"app": "tiktok", "signed_in": ["bob"]})

    assert at.run(MATCH).data["found"] == [found("tiktok", "bob")]


def test_what_could_be_read_is_kept_beside_what_could_not(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "signed_in": ["bob"]}, {"app": "tiktok", "popups": ["update"]})
    result = at.run(MATCH)

    assert (result.outcome, result.reason) == ("succeeded", "partly_matched")
    assert result.data["found"] == [found("instagram", "bob")]
    assert result.data["unreadable"] == [
        {"app": "tiktok", "package": PACKAGES["tiktok"], "reason": "unreadable_screen"}
    ]


def test_what_was_read_is_kept_when_the_phone_goes_away(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stage(*({"app": app, "signed_in": ["bob", "carol"]} for app in PACKAGES))
    there = at.farm.phone("P1").apps[PACKAGES["tiktok"]]
    monkeypatch.setattr(U2Phone, "dump", failing_after(U2Phone.dump, lambda: there.pid > 0))
    result = at.run(MATCH)

    assert (result.outcome, result.reason, result.transient) == ("failed", "ui_service_down", True)
    assert result.data["found"] == [found("instagram", "bob", "carol")]
    assert result.data["unreadable"] == [
        {"app": "tiktok", "package": PACKAGES["tiktok"], "reason": "ui_service_down"}
    ]


def failing_after(real: Any, is_time: Callable[[], bool]) -> Any:
    """A call that fails from some moment on, as with a phone whose server does not come back."""

    def call(phone: U2Phone) -> str:
        if is_time():
            raise UiServiceDown
        return str(real(phone))

    return call


def test_a_list_that_is_longer_than_the_screen_is_read_to_its_end(stage: MakeStage) -> None:
    names = [f"name.{number:02}" for number in range(14)]
    at = stage({"app": "instagram", "signed_in": names})

    assert at.run(MATCH).data["found"] == [found("instagram", *names)]


def test_an_account_far_down_the_list_is_switched_to(stage: MakeStage) -> None:
    names = [f"name.{number:02}" for number in range(14)]
    at = stage({"app": "instagram", "signed_in": names})

    assert at.run(ticket("login", "instagram", "name.12")).reason == "switched"
    assert at.signed_in("instagram")[0] == "name.12"


def test_a_clone_is_read_by_its_own_package(stage: MakeStage) -> None:
    clone = "com.instagram.android.clone"
    at = stage({"app": "instagram", "signed_in": ["bob"]},
               {"app": "instagram", "package": clone, "signed_in": ["carol"]})  # fmt: skip
    result = at.run(ticket("match", packages={"instagram": [PACKAGES["instagram"], clone]}))

    assert result.data["found"] == [
        found("instagram", "bob"),
        {**found("instagram", "carol"), "package": clone},
    ]


def test_an_app_in_a_language_that_is_not_known_says_so(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "signed_in": ["bob"]}, {"app": "tiktok", "language": "ja"})

    assert at.run(MATCH).data["unreadable"][0]["reason"] == "wrong_language"


def test_nothing_readable_at_all_is_for_a_person(stage: MakeStage) -> None:
    result = stage({"app": "tiktok", "popups": ["update"]}).run(MATCH)

    assert (result.outcome, result.reason) == ("needs_person", "unreadable_screen")


def test_adding_an_account_is_never_tapped(stage: MakeStage) -> None:
    at = stage(*({"app": app, "signed_in": ["bob"], "popups": ["add_account_sheet"]} for app in PACKAGES))
    at.run(MATCH)

    seen = {touch["screen"] for touch in at.touches()}
    assert not {"ig.add_account_sheet", "ig.login_form", "tt.login_sheet", "tt.signup_sheet"} & seen
    assert not at.touches("click", "ig.account_switcher")
    assert not at.touches("click", "tt.switch_account_sheet")


@pytest.mark.parametrize(("app", "screen"), [("instagram", "wrong_password"), ("instagram", "login_form"),
                                             ("tiktok", "captcha"), ("tiktok", "login_sheet")])  # fmt: skip
def test_what_an_earlier_run_left_open_does_not_hide_the_accounts(
    stage: MakeStage, app: str, screen: str
) -> None:
    at = stage({"app": app, "signed_in": ["bob"]})
    at.leave_open(app, screen)

    assert at.run(ticket("match", packages={app: [PACKAGES[app]]})).data["found"] == [found(app, "bob")]


def test_an_answer_to_nobody_is_not_why_an_app_cannot_be_read(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stage({"app": "instagram", "signed_in": ["bob"]})
    monkeypatch.setattr(
        at.farm.phone("P1").apps[PACKAGES["instagram"]], "first_screen", lambda: "wrong_password"
    )

    assert at.run(MATCH).data["unreadable"][0]["reason"] == "no_progress"


# --- sync


@pytest.mark.parametrize("screen", ["login_sheet", "login_password", "wrong_password", "captcha", "banned"])
def test_sync_looks_behind_what_an_earlier_run_left_open(stage: MakeStage, screen: str) -> None:
    at = stage({"app": "tiktok", "signed_in": ["alice"]})
    at.leave_open("tiktok", screen)
    result = at.run(ticket("sync", "tiktok"))

    assert (result.outcome, result.reason) == ("succeeded", "synced")
    assert len(at.touches("stop_app")) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_figures_of_the_profile_are_read(stage: MakeStage, language: str) -> None:
    result = stage({"app": "tiktok", "language": language, "signed_in": ["alice"]}).run(
        ticket("sync", "tiktok")
    )

    assert (result.outcome, result.reason) == ("succeeded", "synced")
    assert result.data == {
        "logined": True, "nickname": "Alice", "followers": 12_300, "following": 99, "hearts": 1_200_000,
    }  # fmt: skip


def test_sync_switches_to_the_account_it_is_for(stage: MakeStage) -> None:
    at = stage({"app": "tiktok", "signed_in": ["bob", "alice"]})

    assert at.run(ticket("sync", "tiktok")).data["nickname"] == "Alice"


@pytest.mark.parametrize("signed_in", [[], ["bob"]])
def test_sync_of_an_account_that_is_not_signed_in_fails_and_logs_nobody_in(
    stage: MakeStage, signed_in: list[str]
) -> None:
    at = stage({"app": "tiktok", "signed_in": signed_in})
    result = at.run(ticket("sync", "tiktok"))

    assert (result.outcome, result.reason, result.data) == ("failed", "not_signed_in", {"logined": False})
    assert not at.touches("type")


@pytest.mark.parametrize(("language", "followers"), [("en", 12_300), ("fr", 12_300), ("nl", 12_300),
                                                       ("de", 12_345), ("es", 12_300), ("pt", 12_300)])  # fmt: skip
def test_counts_are_read_as_the_language_of_the_app_writes_them(
    stage: MakeStage, language: str, followers: int
) -> None:
    result = stage({"app": "tiktok", "language": language, "signed_in": ["alice"]}).run(
        ticket("sync", "tiktok")
    )

    assert (result.data["followers"], result.data["hearts"]) == (followers, 1_200_000)


def test_friends_are_read_where_the_profile_shows_them(stage: MakeStage) -> None:
    known = login("tiktok", "alice", friends=42)
    result = stage({"app": "tiktok", "signed_in": ["alice"]}, logins=[known]).run(ticket("sync", "tiktok"))

    assert result.data["friends"] == 42
    assert "videos" not in result.data


def test_small_numbers_are_exact(stage: MakeStage) -> None:
    known = login("tiktok", "alice", followers=1234, following=0, likes=7)
    result = stage({"app": "tiktok", "signed_in": ["alice"]}, logins=[known]).run(ticket("sync", "tiktok"))

    assert [result.data[name] for name in ("followers", "following", "hearts")] == [1234, 0, 7]


def test_instagram_has_no_figures(stage: MakeStage) -> None:
    at = stage({"app": "instagram", "signed_in": ["alice"]})
    result = at.run(ticket("sync", "instagram"))

    assert (result.outcome, result.reason) == ("skipped", "no_statistics")
    assert not at.touches()
