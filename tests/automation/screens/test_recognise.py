"""The rules of recognising a screen, each on a dump that would break without it."""

from __future__ import annotations

import pytest

from automation.screens.dump import normalise, parse
from automation.screens.recognise import AMBIGUOUS, SCREEN, UNKNOWN, UNREADABLE, recognise
from automation.screens.schema import load
from tests.automation.dumps import IG, TT, drawn, dump, node

LANDING = (node("Button", text="I already have an account"), node("Button", text="Create new account"))
HOME = (node("LinearLayout", node("FrameLayout", id="feed_tab", selected=True), id="tab_bar"),)
STATUS_BAR = node("ImageView", package="com.android.systemui", desc="Home")
ROW = {"clickable": True, "desc": "alice"}


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("Don’t  allow ", "don't allow"),
        ("Mot\u00a0de passe oublié\u202f?", "mot de passe oublié ?"),
        ("Log\u200bin", "login"),
        ("Cafe\u0301", "café"),
        ("Username,", "username"),
        ("Loading…", "loading..."),
        ("\u202bProfile\u202c", "profile"),
    ],
)
def test_texts_are_compared_in_one_plain_form(raw: str, plain: str) -> None:
    assert normalise(raw) == plain


def test_windows_of_the_system_are_never_taken_for_the_app() -> None:
    foreign = node("Button", package="com.android.systemui", text="I already have an account")
    foreign += node("Button", package="com.android.systemui", text="Create new account")

    assert recognise(dump(foreign, node(text="something"))).status == UNKNOWN


def test_a_keyboard_window_that_comes_first_changes_nothing() -> None:
    keyboard = node("Button", package="com.google.android.inputmethod.latin", text="Profile")

    assert recognise(dump(keyboard, STATUS_BAR, *LANDING)).screen == "ig.landing"


def test_a_permission_dialog_comes_before_the_app_below_it() -> None:
    dialog = node("Button", package="com.google.android.permissioncontroller",
                  id="com.android.permissioncontroller:id/permission_deny_button")  # fmt: skip
    verdict = recognise(dump(*LANDING, dialog))

    assert (verdict.screen, verdict.kind) == ("os.permission", "overlay")
    assert verdict.find("dismiss")


@pytest.mark.parametrize(
    ("ids", "screen"),
    [
        (("aerr_close", "aerr_restart"), "os.crash"),
        (("aerr_close", "aerr_wait"), "os.anr"),
        (("autofill_save_no", "autofill_save_yes"), "os.autofill_save"),
    ],
)
def test_overlays_of_android_are_known_by_their_ids(ids: tuple[str, str], screen: str) -> None:
    shown = [node("Button", package="android", id=f"android:id/{one}") for one in ids]

    assert recognise(dump(*LANDING, *shown)).screen == screen


def test_saving_the_password_is_declined_and_never_accepted() -> None:
    gms = "com.google.android.gms"
    sheet = node("FrameLayout", node(package=gms, text="Save password for Instagram?"),
                 node("Button", package=gms, id="save_credential", bounds="[0,0][10,10]"),
                 node("Button", package=gms, id="cancel", bounds="[100,100][200,200]"), package=gms)  # fmt: skip
    spot = recognise(dump(*LANDING, sheet)).find("dismiss")

    assert spot is not None
    assert (spot.x, spot.y) == (150, 150)


def test_a_word_in_a_post_does_not_fake_a_screen() -> None:
    post = node(text="We suspended your account, said my bank. Was this you? Incorrect password!")

    assert recognise(dump(*HOME, post)).screen == "ig.home"


def test_a_session_is_not_believed_by_words_alone() -> None:
    said = [node(text=word) for word in ("Home", "Profile", "Edit profile", "alice")]

    assert recognise(dump(*said)).status == UNKNOWN


def test_texts_behind_the_list_of_accounts_do_not_make_it_a_profile() -> None:
    assert recognise(drawn("instagram", "account_switcher")).screen == "ig.account_switcher"


def test_another_persons_profile_is_not_the_own_one() -> None:
    other = node("FrameLayout", id="profile_tab", selected=True) + node(id="profile_header_container")
    other += node(id="action_bar_username_container") + node("Button", id="profile_header_follow_button")

    assert recognise(dump(node("LinearLayout", id="tab_bar"), other)).screen == "ig.other_profile"


def test_two_screens_that_fit_as_well_are_ambiguous() -> None:
    both = (
        node(text="Find people to follow"),
        node(text="Turn on notifications"),
        node("Button", text="Skip"),
    )

    assert recognise(dump(*both)).status == AMBIGUOUS


@pytest.mark.parametrize("broken", ["", "<hierarchy", "not xml", drawn("instagram", "landing")[:-200]])
def test_a_dump_that_is_cut_off_is_unreadable(broken: str) -> None:
    assert recognise(broken).status == UNREADABLE


def test_a_window_without_any_word_is_unreadable_and_not_a_button_missing() -> None:
    assert recognise(dump(node("FrameLayout", node("View", package=TT), package=TT))).status == UNREADABLE


def test_a_stuck_uiautomator_is_unreadable() -> None:
    assert recognise(dump(node("FrameLayout", package="android")), IG).status == UNREADABLE


def test_another_app_in_front_is_said_to_be_so() -> None:
    verdict = recognise(dump(*[node("Button", package="com.other", text=str(n)) for n in range(5)]), IG)

    assert (verdict.status, verdict.why, verdict.away) == (UNREADABLE, "foreign", True)


def test_the_launcher_in_front_means_the_app_is_closed() -> None:
    icon = node(package="com.google.android.apps.nexuslauncher", text="Instagram", clickable=True)

    assert recognise(dump(icon), IG).away


def test_a_clone_is_read_by_its_own_package() -> None:
    clone = drawn("instagram", "landing").replace(IG, "com.instagram.androie")

    assert recognise(clone, "com.instagram.androie", "instagram").screen == "ig.landing"
    assert recognise(clone, IG, "instagram").status != SCREEN


def test_the_language_is_that_of_the_app_and_not_of_the_phone() -> None:
    french_bar = node("ImageView", package="com.android.systemui", desc="Accueil")

    assert recognise(dump(french_bar, *LANDING)).language == "en"


def test_an_english_word_in_a_french_app_is_still_understood() -> None:
    mixed = drawn("instagram", "login_form", "fr").replace("Se connecter", "Log in")

    assert recognise(mixed).screen == "ig.login_form"


def test_a_login_form_is_known_in_a_language_of_seeds() -> None:
    fields = [node("EditText", text="?"), node("EditText", text="?", password=True)]
    assert recognise(dump(*fields, node("Button", text="Inloggen"))).screen == "ig.login_form"


def test_the_choice_of_ways_without_an_authenticator_is_for_a_person() -> None:
    assert recognise(drawn("instagram", "2fa_choose_method", login=None)).kind == "human"
    assert recognise(drawn("instagram", "2fa_choose_method")).kind == "two_factor"


@pytest.mark.parametrize(
    "text", ["Add account", "alice smith", "alice-x", "@", "a" * 31, "Settings & privacy"]
)
def test_only_what_is_shaped_like_a_handle_is_taken_from_the_list_of_accounts(text: str) -> None:
    row = node("ViewGroup", clickable=True, desc=text)
    sheet = node("ViewGroup", node("ViewGroup", selected=True, **ROW), row, id="recycler_view_container_id")

    assert recognise(dump(sheet)).lists["handles"] == ["alice"]


def test_a_remark_after_the_handle_is_left_out() -> None:
    row = node("ViewGroup", clickable=True, selected=True, desc="Alice.B,  New notifications")
    verdict = recognise(dump(node("ViewGroup", row, id="recycler_view_container_id")))

    assert verdict.values["active"] == "alice.b"


def test_a_disabled_or_invisible_node_is_never_tapped() -> None:
    for attribute in ({"enabled": False}, {"bounds": "[0,0][0,0]"}):
        button = node("Button", text="I already have an account", **attribute)
        assert recognise(dump(button, node("Button", text="Create new account"))).find("log_in") is None


def test_the_alternative_that_was_found_is_remembered() -> None:
    verdict = recognise(dump(*LANDING))
    verdict.find("log_in")

    assert verdict.used == {"log_in": 2}


def test_forbidden_characters_in_a_dump_do_not_spoil_it() -> None:
    odd = node(text="ok").replace("ok", "&#55357;&#56842;&#0;ok")

    assert parse(dump(odd)).nodes[0].text == "ok"


def test_an_entity_bomb_is_not_blown_up() -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        + dump(node(text="&b;")).split("?>")[1]
    )

    assert recognise(bomb.replace("&amp;b;", "&b;"), IG).status in (UNREADABLE, UNKNOWN)


def test_the_hash_of_the_screen_changes_with_what_is_on_it_and_tells_nothing() -> None:
    one, two = (recognise(drawn("instagram", "login_form", fields={"user": name})) for name in ("a", "b"))

    assert one.fingerprint != two.fingerprint
    assert len(one.fingerprint) == 16


def test_every_reason_of_a_screen_is_known_to_the_scripts() -> None:
    from automation.scripts.reasons import REASONS

    stated = {screen.reason for app in load().values() for screen in app.screens if screen.reason}
    assert stated <= REASONS.keys()
