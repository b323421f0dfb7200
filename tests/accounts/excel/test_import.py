"""The rules of accounts.xlsx, one by one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from accounts import services
from accounts.excel.resources import FileRefused, ImportRefused, export_file, import_file, preview
from accounts.models import Account
from accounts.signals import account_disabled
from devices.choices import Connection
from devices.models import Device
from tests.accounts.excel.sheets import VENDOR_HEADERS, Broken, make_xlsx, table, vendor_file
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"
REFERENCE = Path(
    os.environ.get("PHONERACK_REFERENCE_XLSX")
    or Path(__file__).resolve().parents[4] / "shared" / "reference" / "xlsx"
)


def errors_of(data, app="tiktok"):
    """(row, column) of each error; and nothing may have been written."""
    before = Account.objects.count(), Device.objects.count()
    with pytest.raises(ImportRefused) as refused:
        import_file(data, app)
    assert (Account.objects.count(), Device.objects.count()) == before
    assert preview(data, app).errors == refused.value.preview.errors
    return [(error.row, error.column) for error in refused.value.preview.errors]


def message_of(data, app="tiktok"):
    return preview(data, app).errors[0].message


# Files of the vendor


@pytest.mark.parametrize("app", ["tiktok", "instagram"])
@pytest.mark.parametrize("version", VENDOR_HEADERS)
def test_each_version_of_the_vendor_s_file_imports_into_an_empty_list(version, app):
    done = import_file(vendor_file(version), app)
    assert (done.new, done.changed, done.invalid) == (3, 0, 0)
    ann, bob, carol = Account.objects.order_by("pk")
    assert [a.pk for a in (ann, bob, carol)] == [1, 2, 3]
    assert [a.username for a in (ann, bob, carol)] == ["ann", "bob.42", "carol"]
    assert (ann.is_logged_in, ann.is_enabled, carol.is_enabled) == (True, True, False)
    assert bob.password.reveal() == "00123"
    assert (ann.device.serial, bob.device.serial, carol.device) == ("R58M00TEST1", "192.0.2.10:5555", None)
    assert services.join_password(ann) == f"secret1:{SECRET}"
    assert bool(ann.totp_secret) is (app == "instagram")
    again = preview(vendor_file(version), app)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)


def test_the_figures_of_the_documented_columns_are_taken_and_a_dash_is_nothing():
    import_file(vendor_file("jun2025_15"), "tiktok")
    ann, bob, _carol = Account.objects.order_by("pk")
    assert (ann.nickname, ann.country, ann.followers) == ("Ann", "NL", 1234)
    assert (bob.followers, bob.friends) == (None, None)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference files are not here")
@pytest.mark.parametrize("app", ["tiktok", "instagram"])
def test_the_reference_files_import_as_they_are(app):
    files = sorted(REFERENCE.glob("*.xlsx"))
    assert len(files) == 5
    for file in files:
        rows = 0 if "empty" in file.name else 3
        assert import_file(file.read_bytes(), app).new == rows
        assert preview(file.read_bytes(), app).unchanged == rows
        Account.objects.all().delete()


def test_an_id_that_another_account_has_is_ignored_in_the_first_import_of_an_app():
    make_account(pk=1, username="tik")
    done = import_file(vendor_file("mar2025_8"), "instagram")
    assert done.new == 3
    assert sorted(Account.objects.filter(app="instagram").values_list("pk", flat=True))[:2] == [2, 3]
    assert Account.objects.get(pk=1).username == "tik"
    assert any("id 1" in warning for warning in done.warnings)


def test_the_exception_for_ids_ends_with_the_first_account_of_the_app():
    make_account(username="already")
    assert errors_of(table("id username", [999, "new"])) == [(2, "id")]


def test_a_row_that_names_its_app_means_the_account_with_that_id():
    make_account(pk=5, username="tik")
    data = table("id username app", [5, "tik", "instagram"])
    assert errors_of(data, "") == [(2, "id")]


def test_an_export_restores_an_empty_list_with_its_ids():
    make_account(pk=7, username="tik")
    make_account(pk=9, username="gram", app="instagram")
    data = export_file(Account.objects.all(), with_passwords=True)
    Account.objects.all().delete()
    assert import_file(data).new == 2
    assert dict(Account.objects.values_list("pk", "username")) == {7: "tik", 9: "gram"}


def test_rows_with_and_without_an_id_can_be_mixed_in_a_first_import():
    import_file(table("id username", [None, "a"], [1, "b"], [None, "c"]), "tiktok")
    assert Account.objects.get(pk=1).username == "b"
    assert Account.objects.count() == 3
    make_account(username="later")


# Which account


def test_a_row_with_an_id_changes_that_account_and_may_rename_it():
    account = make_account(username="old")
    done = import_file(table("id username", [account.pk, "new"]), "tiktok")
    assert (done.new, done.changed) == (0, 1)
    account.refresh_from_db()
    assert account.username == "new"


@pytest.mark.parametrize("blank", [None, "", 0, "0", " "])
def test_a_row_without_an_id_creates(blank):
    make_account()
    assert import_file(table("id username", [blank, "ann"]), "tiktok").new == 1


def test_an_unknown_id_is_an_error_that_says_what_to_do():
    make_account()
    data = table("id username", [999, "ann"])
    assert errors_of(data) == [(2, "id")]
    assert message_of(data) == "There is no account with id 999 (row 2): empty the id cell to create it."


@pytest.mark.parametrize("bad", ["abc", -1, 1.5, True, 10**14 * 10**5])
def test_a_wrong_id_is_an_error(bad):
    make_account()
    assert errors_of(table("id username", [bad, "ann"])) == [(2, "id")]


def test_an_id_that_stands_twice_is_an_error_in_both_rows():
    account = make_account()
    data = table("id username", [account.pk, "a"], [account.pk, "b"])
    assert errors_of(data) == [(2, "id"), (3, "id")]
    assert "row 3" in message_of(data)


def test_an_account_cannot_change_its_app():
    account = make_account(username="ann")
    assert errors_of(table("id username app", [account.pk, "ann", "instagram"]), "") == [(2, "id")]
    make_account(app="instagram")
    assert errors_of(table("id username", [account.pk, "ann"]), "instagram") == [(2, "id")]


@pytest.mark.parametrize("username", [None, "", " ", "@"])
def test_a_row_without_a_username_is_an_error(username):
    assert errors_of(table("username email", [username, "a@b.nl"])) == [(2, "username")]


def test_a_username_that_stands_twice_names_the_other_row():
    data = table("username", ["ann"], ["bob"], ["@ANN"])
    assert errors_of(data) == [(2, "username"), (4, "username")]
    assert "row 4" in message_of(data)


def test_a_username_of_another_account_names_its_id():
    account = make_account(username="Ann")
    data = table("username", ["ann"])
    assert errors_of(data) == [(2, "username")]
    assert f"id {account.pk}" in message_of(data)


def test_the_same_username_in_both_apps_is_no_clash():
    assert import_file(table("username app", ["ann", "tiktok"], ["ann", "Instagram"])).new == 2


def test_two_accounts_can_swap_their_names_and_a_third_can_take_a_free_one():
    one, two, three = (make_account(username=name) for name in ("one", "two", "three"))
    import_file(
        table("id username", [one.pk, "two"], [two.pk, "one"], [three.pk, "four"], [None, "three"]), "tiktok"
    )
    names = dict(Account.objects.values_list("pk", "username"))
    assert (names[one.pk], names[two.pk], names[three.pk]) == ("two", "one", "four")
    assert Account.objects.filter(username="three").exists()


# Which app


def test_without_any_app_each_row_is_an_error_that_says_so():
    assert errors_of(table("username", ["ann"]), "") == [(2, "app")]


WHICH_APP = "Which app? Choose TikTok or Instagram (--app tiktok or --app instagram)."


def test_without_any_app_the_file_has_one_error_and_none_about_ids():
    make_account(pk=5, username="tik")
    data = table("id username status", [5, "gram", 0], [900, "ann", 0], [None, "bob", 7])
    assert errors_of(data, "") == [(2, "app"), (4, "status")]
    assert message_of(data, "") == WHICH_APP
    assert preview(data).invalid == 3


def test_an_id_alone_does_not_say_the_app_when_the_username_differs():
    account = make_account(pk=5, username="tik", password="kept")
    assert errors_of(table("id username pwd", [5, "gram", "other"]), "") == [(2, "app")]
    account.refresh_from_db()
    assert (account.username, account.password.reveal()) == ("tik", "kept")
    assert import_file(table("id username nickname", [5, "TIK", "Tik"])).changed == 1


def test_an_empty_app_cell_is_asked_for_at_its_row():
    make_account(pk=5, username="tik")
    data = table("id username app", [5, "gram", None], [None, "bob", "tiktok"], [None, "ann", None])
    assert errors_of(data, "") == [(2, "app"), (4, "app")]


def test_the_second_list_of_the_vendor_imports_again_by_username():
    import_file(vendor_file("mar2025_8"), "tiktok")
    import_file(vendor_file("mar2025_8"), "instagram")
    before = list(Account.objects.filter(app="tiktok").values_list("pk", "updated_at"))
    headers = VENDOR_HEADERS["mar2025_8"]
    rows = [[n, "", "new-pwd", name, "", "", 0, 0] for n, name in ((1, "ann"), (2, "Bob.42"), (3, "carol"))]
    done = import_file(table(headers, *rows), "instagram")
    assert (done.new, done.changed) == (0, 3)
    assert done.warnings == ["Ids of this file belong to another list: rows were found by username."]
    accounts = Account.objects.filter(app="instagram")
    assert {account.password.reveal() for account in accounts} == {"new-pwd"}
    assert list(Account.objects.filter(app="tiktok").values_list("pk", "updated_at")) == before
    assert errors_of(table(headers, [999, "", "", "dave", "", "", 0, 0]), "instagram") == [(2, "id")]
    assert errors_of(table(headers, [1, "", "", "dave", "", "", 0, 0]), "instagram") == [(2, "id")]


def test_two_rows_cannot_mean_one_account_by_id_and_by_username():
    make_account(pk=1, username="tik")
    make_account(pk=2, username="ann", app="instagram")
    data = table("id username", [1, "ann"], [2, "other"])
    assert errors_of(data, "instagram") == [(2, "id"), (3, "id")]
    assert "row 3" in message_of(data, "instagram").lower()


def test_a_row_has_one_error_at_most_about_which_account_it_is():
    account = make_account(username="ann")
    data = table("id username app", [999, "ann", "tiktok"], ["x", None, "snapchat"])
    assert errors_of(data, "") == [(2, "username"), (3, "id")]
    assert f"id {account.pk}" in message_of(data)


def test_the_package_says_the_app_when_nothing_else_does():
    import_file(
        table("username packagename", ["a", "com.instagram.gb.android"], ["b", "com.ss.android.ugc.trill"])
    )
    assert dict(Account.objects.values_list("username", "app")) == {"a": "instagram", "b": "tiktok"}


def test_the_chosen_app_wins_over_the_package_with_a_warning():
    done = import_file(table("username packagename", ["a", "com.instagram.android"]), "tiktok")
    assert Account.objects.get().app == "tiktok"
    assert any("Row 2" in warning and "Instagram" in warning for warning in done.warnings)


def test_the_app_of_the_row_wins_over_the_chosen_one():
    import_file(table("username app", ["a", "instagram"], ["b", ""]), "tiktok")
    assert dict(Account.objects.values_list("username", "app")) == {"a": "instagram", "b": "tiktok"}


def test_an_account_with_an_id_needs_no_app():
    account = make_account(username="ann", app="instagram")
    assert import_file(table("id username nickname", [account.pk, "ann", "Ann"])).changed == 1


def test_an_unknown_app_is_an_error():
    assert errors_of(table("username app", ["a", "snapchat"])) == [(2, "app")]


# Cells


def test_a_blank_password_keeps_and_every_other_blank_cell_clears():
    phone = make_device()
    account = make_account(
        username="ann",
        nickname="Ann",
        followers=5,
        tags="warm",
        package_name="com.x.y",
        device=phone,
        password="kept",
    )
    headers = "id email pwd username device device_index nickname followers packagename tags"
    import_file(table(headers, [account.pk, None, None, "ann"]))
    account.refresh_from_db()
    cleared = (
        account.email,
        account.nickname,
        account.followers,
        account.package_name,
        account.tags,
        account.device,
    )
    assert cleared == ("", "", None, "", "", None)
    assert account.password.reveal() == "kept"


def test_a_missing_column_keeps():
    account = make_account(username="ann", nickname="Ann", followers=5, tags="warm", device=make_device())
    found = preview(table("id username", [account.pk, "ann"]))
    assert (found.changed, found.unchanged) == (0, 1)


def test_a_blank_flag_keeps_so_that_no_disabled_account_comes_alive():
    account = make_account(username="ann", is_enabled=False, is_logged_in=True)
    assert preview(table("id username logined status", [account.pk, "ann"])).unchanged == 1


@pytest.mark.parametrize(
    ("cell", "logged_in"),
    [
        (1, True),
        (0, False),
        ("1", True),
        ("yes", True),
        ("NO", False),
        ("true", True),
        (True, True),
        (False, False),
    ],
)
def test_flags_are_understood(cell, logged_in):
    import_file(table("username logined status", ["ann", cell, cell]), "tiktok")
    account = Account.objects.get()
    assert (account.is_logged_in, account.is_enabled) == (logged_in, not logged_in)


@pytest.mark.parametrize("cell", [2, -1, "x", "enabled", 0.5, datetime(2026, 1, 2)])
def test_a_wrong_flag_is_an_error(cell):
    assert errors_of(table("username logined", ["ann", cell])) == [(2, "logined")]
    assert errors_of(table("username status", ["ann", cell])) == [(2, "status")]


def test_numbers_in_text_columns_stay_whole():
    import_file(table("username pwd nickname tags", [12345, 678, 9, 10]), "tiktok")
    account = Account.objects.get()
    shown = (account.username, account.password.reveal(), account.nickname, account.tags)
    assert shown == ("12345", "678", "9", "10")


@pytest.mark.parametrize("cell", [1.5, True, datetime(2026, 1, 2), 1e15, 123456789012345678])
@pytest.mark.parametrize("column", ["pwd", "email", "device"])
def test_what_a_spreadsheet_spoils_is_an_error(column, cell):
    data = table(f"username {column}", ["ann", cell])
    assert errors_of(data) == [(2, column)]
    assert "format" in message_of(data)


@pytest.mark.parametrize(
    ("cell", "figure"), [("-", None), (None, None), (12, 12), ("1,234,567", 1234567), ("7", 7)]
)
def test_figures_are_counts(cell, figure):
    import_file(table("username hearts", ["ann", cell]), "tiktok")
    assert Account.objects.get().hearts == figure


@pytest.mark.parametrize("cell", ["1.2M", -5, 12.7, True, "1,23", 2**70])
def test_a_wrong_figure_is_an_error(cell):
    assert errors_of(table("username hearts", ["ann", cell])) == [(2, "hearts")]


@pytest.mark.parametrize(
    ("column", "longest"), [("email", 254), ("username", 100), ("device", 64), ("pwd", 500), ("tags", 500)]
)
def test_a_text_that_is_too_long_is_an_error(column, longest):
    headers = "username" if column == "username" else f"username {column}"
    row = ["x" * (longest + 1)] if column == "username" else ["ann", "x" * (longest + 1)]
    assert errors_of(table(headers, row)) == [(2, column)]


@pytest.mark.parametrize(
    ("column", "cell"),
    [("username", 12345678901234567890), ("id", 2**70), ("pwd", 10**15), ("followers", 10**20)],
)
def test_a_number_that_lost_its_digits_says_how_to_keep_them(column, cell):
    row = {"id": None, "username": "ann", "pwd": "", "followers": None, column: cell}
    data = make_xlsx(list(row), list(row.values()))
    assert errors_of(data) == [(2, column)]
    assert message_of(data).startswith("Excel keeps only 15 digits of a number: format the cell as Text")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("username", "a/b"),
        ("username", "a\\b"),
        ("username", "<b>ann"),
        ("username", "=ann"),
        ("username", "an\x07n"),
        ("email", "ann"),
        ("email", "ann@x@y.nl"),
        ("email", "ann b@x.nl"),
        ("packagename", "instagram"),
        ("packagename", "com.instagram android"),
        ("packagename", "com.1instagram"),
    ],
)
def test_what_cannot_be_such_a_name_is_an_error(column, cell):
    row = {"username": "ann", "email": "", "packagename": "", column: cell}
    assert errors_of(make_xlsx(list(row), list(row.values()))) == [(2, column)]


@pytest.mark.parametrize("name", ["ann\u200b", "\ufeff@ann", "a\u00adnn"])
def test_a_character_that_nobody_sees_makes_no_second_account(name):
    make_account(username="Ann")
    assert errors_of(table("username", [name])) == [(2, "username")]
    assert errors_of(table("username", ["bob"], ["bob\u2060"])) == [(2, "username"), (3, "username")]


def test_a_cell_with_an_error_is_an_error_and_never_a_blank_one():
    account = make_account(username="ann", email="ann@example.org", followers=5)
    data = make_xlsx(
        ["id", "username", "email", "followers"],
        [account.pk, "ann", Broken("#N/A"), Broken("#DIV/0!")],
        [],
        [None, Broken("#REF!"), "#N/A@x.nl", None],
    )
    assert errors_of(data) == [(2, "email"), (2, "followers"), (4, "username")]
    assert str(preview(data, "tiktok").errors[0]) == (
        "Row 2, email: The cell holds an error (#N/A): mend the formula or type the value."
    )


def test_an_error_in_another_sheet_or_an_unknown_column_is_nobody_s_business():
    sheets = {
        "other": [["x"], [Broken("#N/A")]],
        "accounts": [["username", "note"], ["ann", Broken("#NAME?")]],
    }
    assert import_file(make_xlsx(sheets=sheets), "tiktok").new == 1


def test_tags_are_split_at_each_of_their_signs():
    import_file(table("username tag", ["ann", "warm,nl，new;old\nwarm"]), "tiktok")
    assert Account.objects.get().tags == "warm, nl, new, old"


def test_all_errors_come_at_once_with_row_and_column():
    data = make_xlsx(["username", "status", "hearts"], ["a", 7, "x"], [], [None, 1, None], ["b", 0, 1])
    assert errors_of(data) == [(2, "status"), (2, "hearts"), (4, "username")]


# Devices


def test_a_device_is_found_by_serial_and_by_cloud_identifier():
    usb = make_device(serial="USB1")
    cloud = make_device(serial="CLOUD1", address="192.0.2.1:5555")
    import_file(table("username device", ["a", "USB1"], ["b", "192.0.2.1:5555"]), "tiktok")
    assert [a.device for a in Account.objects.order_by("username")] == [usb, cloud]


def test_a_label_finds_the_device_when_device_is_empty():
    phone = make_device(label="7")
    import_file(table("username device device_index", ["a", "", 7]), "tiktok")
    import_file(table("username device_index", ["b", "7"]), "tiktok")
    assert {a.device for a in Account.objects.all()} == {phone}


def test_a_given_device_wins_over_the_label():
    wanted, other = make_device(label="7"), make_device(label="8")
    import_file(table("username device device_index", ["a", wanted.serial, 8]), "tiktok")
    assert Account.objects.get().device == wanted
    assert other.accounts.count() == 0


def test_a_label_of_no_device_is_an_error():
    assert errors_of(table("username device_index", ["a", 7])) == [(2, "device_index")]


@pytest.mark.parametrize("away", ["offline", "Offline", None])
def test_offline_and_blank_labels_are_nothing(away):
    import_file(table("username device device_index", ["a", "", away]), "tiktok")
    assert Account.objects.get().device is None


def test_an_unknown_device_becomes_an_expected_phone_and_the_preview_says_so():
    data = table("username device device_index", ["a", "NEW1", 4], ["b", "NEW1", 4], ["c", "NEW2", 4])
    found = preview(data, "tiktok")
    assert found.expected_devices == 2
    assert any("Row 2" in warning and "NEW1" in warning for warning in found.warnings)
    assert not Device.objects.exists()
    import_file(data, "tiktok")
    first, second = Device.objects.order_by("serial")
    assert (first.serial, first.connection, first.label) == ("NEW1", Connection.UNKNOWN, "4")
    assert second.label is None
    assert first.accounts.count() == 2


def test_a_label_that_is_taken_or_no_number_is_not_given_to_an_expected_phone():
    make_device(label="4")
    import_file(table("username device device_index", ["a", "NEW1", 4], ["b", "NEW2", "rack"]), "tiktok")
    assert list(Device.objects.filter(serial__startswith="NEW").values_list("label", flat=True)) == [
        None,
        None,
    ]


def test_a_device_is_cleared_only_when_neither_column_names_one():
    phone = make_device(label="7")
    account = make_account(username="ann", device=phone)
    assert preview(table("id username device device_index", [account.pk, "ann", "", 7])).unchanged == 1
    assert preview(table("id username device", [account.pk, "ann", ""])).changed == 1
    assert preview(table("id username device device_index", [account.pk, "ann", "", "offline"])).changed == 1


# Credentials


def test_an_instagram_password_brings_its_2fa_secret():
    import_file(table("username pwd", ["ann", f"a:b:{SECRET.lower()}"]), "instagram")
    account = Account.objects.get()
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("a:b", SECRET)


def test_a_new_password_without_a_secret_keeps_the_secret():
    account = make_account(username="ann", app="instagram", password="old", totp_secret=SECRET)
    import_file(table("id username pwd", [account.pk, "ann", "new"]))
    account.refresh_from_db()
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("new", SECRET)


def test_a_new_password_clears_the_attention_for_a_wrong_one():
    account = make_account(username="ann", attention="wrong_password")
    import_file(table("id username pwd", [account.pk, "ann", "better"]))
    account.refresh_from_db()
    assert account.attention == ""


def test_a_password_keeps_its_spaces():
    import_file(table("username pwd", ["ann", "  spaced out "]), "tiktok")
    assert Account.objects.get().password.reveal() == "  spaced out "


def test_the_preview_shows_secrets_only_as_set_or_changed():
    account = make_account(username="old", app="instagram", password="before99")
    data = table("id username pwd", [account.pk, "old", f"after99:{SECRET}"], [None, "new", "first99"])
    found = preview(data, "instagram")
    shown = [(cell.column, cell.old, cell.new) for row in found.rows for cell in row.cells]
    assert ("pwd", "", "changed") in shown
    assert ("2FA secret", "", "set") in shown
    assert ("pwd", "", "set") in shown
    assert not [secret for secret in ("before99", "after99", "first99", SECRET) if secret in str(found)]


def test_the_preview_shows_old_and_new_of_other_cells():
    account = make_account(username="ann", nickname="A", is_enabled=True)
    found = preview(table("id username nickname status", [account.pk, "ann", "B", 1]))
    assert [(c.column, c.old, c.new) for c in found.rows[0].cells] == [
        ("status", "0", "1"),
        ("nickname", "A", "B"),
    ]


# All or nothing


def test_nothing_is_written_when_any_row_is_bad():
    account = make_account(username="ann")
    data = table(
        "id username device", [account.pk, "renamed", "NEW1"], [None, "fine", ""], [None, "", "NEW2"]
    )
    assert errors_of(data) == [(4, "username")]
    account.refresh_from_db()
    assert account.username == "ann"


def test_a_preview_writes_nothing():
    account = make_account(username="ann")
    preview(table("id username device", [account.pk, "renamed", "NEW1"], [None, "fine", ""]), "tiktok")
    account.refresh_from_db()
    assert (account.username, Account.objects.count(), Device.objects.count()) == ("ann", 1, 0)


@pytest.mark.django_db(transaction=True)
def test_status_1_disables_as_the_list_does_after_the_commit():
    on, off, other = (make_account(username=name) for name in ("on", "off", "other"))
    told = []

    def listen(account_ids, actor, **_kwargs):
        told.append((account_ids, actor, Account.objects.get(pk=off.pk).is_enabled))

    account_disabled.connect(listen)
    try:
        import_file(table("id username status", [on.pk, "on", 0], [off.pk, "off", 1]), actor="ann")
    finally:
        account_disabled.disconnect(listen)
    assert told == [([off.pk], "ann", False)]
    assert other.is_enabled


def test_only_changed_columns_are_written():
    account = make_account(username="ann", nickname="A")
    data = table("id username nickname", [account.pk, "ann", "B"])
    created = Account.objects.get().created_at
    import_file(data)
    account.refresh_from_db()
    assert (account.nickname, account.created_at) == ("B", created)
    assert account.password.reveal().startswith("pass-")


# Queries


@pytest.mark.parametrize("rows", [500, 1000])
def test_queries_grow_with_chunks_of_500_rows_and_not_with_rows(rows, django_assert_max_num_queries):
    """SQLite takes 999 values in a statement, so 500 accounts are about twenty statements there."""

    def sheet(nickname):
        ids = dict(Account.objects.values_list("username", "pk"))
        body = [[ids.get(f"u{n}"), f"u{n}", "p", f"S{n}", nickname] for n in range(rows)]
        return table("id username pwd device nickname", *body)

    first = sheet("")
    with django_assert_max_num_queries(13 + 24 * rows // 500):
        import_file(first, "tiktok")
    second = sheet("changed")
    with django_assert_max_num_queries(13 + 24 * rows // 500):
        assert import_file(second).changed == rows
    with django_assert_max_num_queries(8 + 2 * rows // 500):
        assert preview(second).unchanged == rows


# Files


def test_headers_are_trimmed_and_folded_in_any_order():
    import_file(make_xlsx([" PWD ", "UserName", " E-Mail"], ["p", "ann", "a@b.nl"]), "tiktok")
    account = Account.objects.get()
    assert (account.username, account.password.reveal(), account.email) == ("ann", "p", "a@b.nl")


def test_unknown_columns_are_named_and_left_out():
    found = preview(make_xlsx(["username", "Colour", "stauts", None], ["ann", "red", 1, "x"]), "tiktok")
    assert "Colour, stauts" in found.warnings[0]
    assert "without a name" in found.warnings[1]
    assert found.new == 1


def test_blank_rows_are_skipped_and_row_numbers_are_those_of_the_sheet():
    data = make_xlsx([], ["username", "status"], [], ["ann", 0], ["  ", ""], ["bob", 9])
    assert errors_of(data) == [(6, "status")]
    assert preview(data, "tiktok").total == 2


@pytest.mark.parametrize("rows", [[], [[]], [["username"]]])
def test_a_sheet_without_rows_is_no_error(rows):
    found = import_file(make_xlsx(*rows))
    assert found.total == 0
    assert "no rows" in found.warnings[-1]


def test_the_sheet_named_accounts_is_read_wherever_it_stands():
    data = make_xlsx(sheets={"notes": [["username"], ["wrong"]], " Accounts": [["username"], ["right"]]})
    import_file(data, "tiktok")
    assert Account.objects.get().username == "right"


def test_without_such_a_sheet_the_first_visible_one_with_usernames_is_read():
    sheets = {"notes": [["x"]], "hid": [["username"], ["no"]], "list": [["username"], ["yes"]]}
    import_file(make_xlsx(sheets=sheets, hidden="hid"), "tiktok")
    assert Account.objects.get().username == "yes"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no .xlsx"),
        (b"id,username\n1,ann\n", "no .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "no .xlsx"),
        (table("id email", [1, "a"]), "no “username” column"),
        (table("username pwd password", ["a", "b", "c"]), "stands twice"),
        (vendor_file("mar2025_8")[:2000], "no .xlsx"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_one_sentence(data, words):
    with pytest.raises(FileRefused, match=words) as refused:
        import_file(data)
    assert "\n" not in str(refused.value)


def test_the_list_that_changed_meanwhile_refuses_the_import(monkeypatch):
    monkeypatch.setattr("accounts.excel.identities._holders", lambda _names: {})
    make_account(username="ann")
    with pytest.raises(ImportRefused, match="somebody else"):
        import_file(table("username", ["ann"]), "tiktok")
    assert export_file(Account.objects.all(), with_passwords=False)
