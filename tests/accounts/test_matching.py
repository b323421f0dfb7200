"""Who is signed in on a phone, held against the list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts import matching
from accounts.matching import Matched, seen_in
from accounts.models import Account
from tests.factories import make_account, make_device, make_host

pytestmark = pytest.mark.django_db

TIKTOK, INSTAGRAM = "com.zhiliaoapp.musically", "com.instagram.android"
CLONE = TIKTOK + ".clone"
BOTH = {"tiktok", "instagram"}


def seen(*usernames: str, app: str = "tiktok", package: str = TIKTOK):
    return seen_in(app, package, usernames)


def kinds(said: list[Matched]) -> dict[str, str]:
    return {one.username: str(one.kind) for one in said}


def rows() -> list[dict[str, object]]:
    return list(
        Account.objects.order_by("pk").values(
            "username", "device", "is_logged_in", "package_name", "updated_at"
        )
    )


def test_each_account_is_new_known_moved_or_missing():
    phone, other = make_device(), make_device(label="9", host=make_host(name="pc7"))
    make_account(username="Known", device=phone, is_logged_in=True)
    make_account(username="moved", device=other, is_logged_in=True)
    make_account(username="loose")
    make_account(username="gone", device=phone, is_logged_in=True)
    make_account(username="signed_out", device=phone)
    make_account(username="known", app="instagram", device=other)

    said = matching.record_match(phone, seen("@known", "moved", "loose", "fresh"), {"tiktok"})
    assert kinds(said) == {
        "fresh": "new", "moved": "moved", "gone": "missing", "Known": "known", "loose": "known",
    }  # fmt: skip
    assert [one.was for one in said if one.kind == "moved"] == ["9 (pc7)"]
    here = Account.objects.filter(app="tiktok", device=phone)
    assert set(here.logged_in().values_list("username", flat=True)) == {"Known", "moved", "loose"}
    assert not Account.objects.get(username="gone").is_logged_in
    assert Account.objects.get(app="instagram").device == other


def test_one_that_the_list_does_not_know_is_never_added_by_the_match_itself():
    matching.record_match(make_device(), seen("fresh"), BOTH)
    assert not Account.objects.exists()


def test_the_same_match_again_changes_nothing_and_makes_no_second_row():
    phone, other = make_device(), make_device()
    make_account(username="gone", device=phone, is_logged_in=True)
    make_account(username="moved", device=other)
    first = matching.record_match(phone, seen("moved", "fresh"), BOTH)
    before = rows()
    second = matching.record_match(phone, seen("moved", "fresh"), BOTH)
    assert kinds(first) == {"fresh": "new", "moved": "moved", "gone": "missing"}
    assert kinds(second) == {"fresh": "new", "moved": "known"}
    assert rows() == before


def test_of_an_app_that_was_not_read_to_the_end_nobody_is_signed_out():
    phone = make_device()
    make_account(username="gone", device=phone, is_logged_in=True)
    make_account(username="gone", app="instagram", device=phone, is_logged_in=True)
    said = matching.record_match(phone, seen("fresh"), {"instagram"})
    assert [(one.kind, one.app) for one in said] == [("new", "tiktok"), ("missing", "instagram")]
    assert list(Account.objects.logged_in().values_list("app", flat=True)) == ["tiktok"]


def test_one_that_signed_in_in_a_clone_instead_is_known_and_not_missing():
    phone = make_device()
    make_account(username="ann", device=phone, is_logged_in=True)
    said = matching.record_match(phone, seen("ann", package=CLONE), BOTH)
    assert kinds(said) == {"ann": "known"}
    account = Account.objects.get()
    assert (account.package_name, account.is_logged_in) == (CLONE, True)


@pytest.mark.parametrize("own", ["", CLONE])
def test_one_that_is_signed_in_in_two_packages_stays_where_the_list_has_it(own):
    phone = make_device()
    make_account(username="ann", device=phone, is_logged_in=True, package_name=own)
    both = [*seen("ann"), *seen("ann", package=CLONE)]
    for places in (both, both[::-1]):
        assert kinds(matching.record_match(phone, places, BOTH)) == {"ann": "known"}
        assert Account.objects.get().package_name == own


def test_what_is_no_username_is_left_out():
    assert seen("", "two words", "a/b", "ok") == seen("ok")


def test_adding_puts_them_on_the_phone_signed_in_and_twice_is_once():
    phone, when = make_device(), datetime(2026, 1, 2, tzinfo=UTC)
    make_account(username="known", device=None)
    found = [
        *seen("Known", "fresh"),
        *seen("cloned", package=CLONE),
        *seen("fresh", app="instagram", package=INSTAGRAM),
    ]
    assert len(matching.unknown(found)) == 3
    assert len(matching.add(phone, found, when)) == 3
    assert matching.add(phone, found, when) == matching.unknown(found) == []
    new = Account.objects.filter(device=phone, is_logged_in=True, last_matched_at=when)
    assert set(new.values_list("app", "username", "package_name")) == {
        ("tiktok", "fresh", ""), ("tiktok", "cloned", CLONE), ("instagram", "fresh", ""),
    }  # fmt: skip
    assert Account.objects.get(username="known").device is None


def test_an_added_account_can_be_given_a_password_like_any_other():
    matching.add(make_device(), seen("fresh"), datetime(2026, 1, 2, tzinfo=UTC))
    account = Account.objects.get()
    account.password = "later"
    account.save()
    assert Account.objects.get().password.reveal() == "later"


def test_a_match_asks_as_many_questions_for_30_accounts_as_for_3(django_assert_max_num_queries):
    phone = make_device()
    names = [f"ann{number}" for number in range(30)]
    for name in names[:20]:
        make_account(username=name, device=phone)
    with django_assert_max_num_queries(9):
        matching.record_match(phone, seen(*names), BOTH)
