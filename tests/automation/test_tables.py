"""Devices, runs and campaigns as files: the filter applied, nothing a formula, a long list in little memory."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from import_export.formats import base_formats
from tablib.exceptions import UnsupportedFormat

from accounts.excel.reader import read_sheet
from automation.models import Campaign, Run
from tests.accounts.excel.test_round_trip import ODD
from tests.automation.rows import run_on
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def sheet(client, name, query=""):
    answer = client.get(reverse(f"admin:{name}_export") + query)
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    found = read_sheet(answer.content)
    return [dict(zip(found.headers, row, strict=True)) for _number, row in found.rows]


def table(client, name, query=""):
    answer = client.get(reverse(f"admin:{name}_export_csv") + query)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_devices_export_as_the_filter_leaves_them(admin_client):
    make_device(serial="ON1", label="7", note="=cmd", battery=55)
    make_device(serial="OFF1", connection="offline")
    (row,) = sheet(admin_client, "devices_device", "?connection__exact=online")
    assert (row["serial"], row["label"], row["note"], row["battery"]) == ("ON1", "7", "=cmd", 55)
    (row,) = table(admin_client, "devices_device", "?connection__exact=online")
    assert (row["serial"], row["note"], row["battery"]) == ("ON1", "'=cmd", "55")


def test_an_export_needs_no_library_that_an_installation_does_not_have(admin_client, monkeypatch):
    def is_missing(_format):
        raise UnsupportedFormat

    monkeypatch.setattr(base_formats.XLSX, "get_format", is_missing)  # as tablib without openpyxl
    make_device(serial="ON1")
    assert [row["serial"] for row in sheet(admin_client, "devices_device")] == ["ON1"]


def test_runs_export_with_outcome_and_reason_per_account(admin_client):
    account = make_account(username="ann", password="hunter22")
    run = run_on(make_device(serial="S1"), account=account)
    Run.objects.filter(pk=run.pk).update(
        state="finished", outcome="failed", reason="wrong_password", message="-1"
    )
    run_on(make_device())
    (row,) = sheet(admin_client, "automation_run", "?outcome__exact=failed")
    said = row["username"], row["device"], row["outcome"], row["reason"], row["message"]
    assert said == ("ann", "S1", "failed", "wrong_password", "-1")
    assert "password" in row["why"].lower()
    (row,) = table(admin_client, "automation_run", "?outcome__exact=failed")
    assert row["message"] == "'-1"
    assert "hunter22" not in str(row)


def test_campaigns_export(admin_client):
    Campaign.objects.create(name="+morning", script="sync", cron="0 3 * * *")
    (row,) = sheet(admin_client, "automation_campaign")
    assert (row["name"], row["schedule"], row["state"]) == ("+morning", "0 3 * * *", "active")
    assert table(admin_client, "automation_campaign")[0]["name"] == "'+morning"


@pytest.mark.parametrize("name", ["devices_device", "automation_run", "automation_campaign"])
def test_an_export_is_as_many_queries_for_one_row_as_for_twenty(
    admin_client, name, django_assert_max_num_queries
):
    Campaign.objects.create(name="c", script="sync")
    for _each in range(20):
        run_on(make_device(), account=make_account())
    with django_assert_max_num_queries(8):
        assert sheet(admin_client, name)


@pytest.mark.parametrize("name", ["devices_device", "automation_run", "automation_campaign"])
def test_only_those_who_see_a_list_can_export_it(client, name):
    user = User.objects.create_user("someone", password="x", is_staff=True)
    client.force_login(user)
    for view in ("export", "export_csv"):
        assert client.get(reverse(f"admin:{name}_{view}")).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename=f"view_{name.partition('_')[2]}"))
    assert client.get(reverse(f"admin:{name}_export_csv")).status_code == 200
    assert "export.csv" in client.get(reverse(f"admin:{name}_changelist")).content.decode()


def test_odd_texts_survive_in_a_sheet_that_goes_through_a_file(admin_client):
    for number, text in enumerate(ODD):
        make_device(serial=f"S{number:02}", note=text)
    rows = {row["serial"]: row["note"] for row in sheet(admin_client, "devices_device")}
    assert rows == {f"S{number:02}": text for number, text in enumerate(ODD)}
