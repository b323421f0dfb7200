"""The matrix role x URL x method. A page without a row here fails the test, so that nobody forgets who may see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from accounts import audit
from accounts.choices import AuditAction
from accounts.excel import jobs
from accounts.excel.models import ImportJob, ImportState
from automation import services
from automation.models import Campaign, Sighting
from config.roles import ROLES, make_groups
from config.sidebar import navigation
from tests.accounts.excel.sheets import table
from tests.automation.rows import host_with_key
from tests.automation.test_attention import needy
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db

#: From nobody special to everybody: who stands further right may do what those before may.
PEOPLE = ["anonymous", "staff", "Viewer", "Operator", "Manager", "Owner"]
LETTERS = dict(zip("ASVOMW", PEOPLE, strict=True))  # "-": nobody

#: View -> the first who may GET it, and POST to it. A view without a name stands here by its route.
MATRIX = {
    "^$": "AA",
    "set_language": "AA",
    "second_factor": "SS",
    # the admin itself
    "admin:login": "AA",
    "admin:logout": "-A",  # not walked through: it ends the session that the other rows need
    "admin:index": "SS",
    "admin:search": "SS",
    "admin:password_change": "SS",
    "admin:password_change_done": "S-",
    "admin:autocomplete": "--",  # no page of ours uses it
    "admin:jsi18n": "S-",
    "admin:view_on_site": "--",
    "admin:app_list": "VV",
    "admin/(?P<url>.*)$": "--",
    # pages of ours
    "console:live": "S-",
    "console:attention": "VO",
    "console:attention_live": "V-",
    "console:attention_password": "-O",
    "console:attention_code": "-O",
    "console:unknown": "O-",
    "console:unknown_live": "O-",
    "console:unknown_screen": "OO",
    "console:label_undo": "-O",
    "console:matches": "V-",
    "console:match_add": "-M",
    "console:screenshot": "O-",
    "console:dump": "O-",
    # accounts
    "admin:accounts_account_changelist": "VV",
    "admin:accounts_account_add": "MM",
    "admin:accounts_account_change": "VO",
    "admin:accounts_account_delete": "MM",
    "admin:accounts_account_history": "VV",
    "admin/accounts/account/<path:object_id>/": "SS",
    "admin:accounts_account_toggle": "-O",
    "admin:accounts_account_reveal": "MM",
    "admin:accounts_account_import": "MM",
    "admin:accounts_account_process_import": "-M",
    "admin:accounts_account_export": "VV",
    "admin:accounts_account_export_csv": "VV",
    "admin:accounts_importjob_changelist": "MM",
    "admin:accounts_importjob_add": "--",
    "admin:accounts_importjob_change": "MM",
    "admin:accounts_importjob_delete": "--",
    "admin:accounts_importjob_history": "MM",
    "admin:accounts_importjob_progress": "MM",
    "admin:accounts_importjob_cancel": "-M",
    "admin:accounts_importjob_undo": "-M",
    "admin:accounts_importjob_bad_rows": "MM",
    "admin/accounts/importjob/<path:object_id>/": "SS",
    # audit
    "admin:accounts_auditevent_changelist": "WW",
    "admin:accounts_auditevent_export": "WW",
    "admin:accounts_auditevent_add": "--",
    "admin:accounts_auditevent_change": "W-",
    "admin:accounts_auditevent_delete": "--",
    "admin:accounts_auditevent_history": "WW",
    "admin/accounts/auditevent/<path:object_id>/": "SS",
    # devices
    "admin:devices_device_changelist": "VV",
    "admin:devices_device_export": "VV",
    "admin:devices_device_export_csv": "VV",
    "admin:devices_device_add": "--",
    "admin:devices_device_change": "VO",
    "admin:devices_device_delete": "MM",
    "admin:devices_device_history": "VV",
    "admin/devices/device/<path:object_id>/": "SS",
    "admin:devices_host_changelist": "VV",
    "admin:devices_host_add": "--",
    "admin:devices_host_change": "VM",
    "admin:devices_host_delete": "WW",
    "admin:devices_host_history": "VV",
    "admin/devices/host/<path:object_id>/": "SS",
    # runs and campaigns
    "admin:automation_run_changelist": "VV",
    "admin:automation_run_export": "VV",
    "admin:automation_run_export_csv": "VV",
    "admin:automation_run_add": "--",
    "admin:automation_run_change": "V-",
    "admin:automation_run_delete": "--",
    "admin:automation_run_history": "VV",
    "admin/automation/run/<path:object_id>/": "SS",
    "admin:automation_campaign_changelist": "VV",
    "admin:automation_campaign_export": "VV",
    "admin:automation_campaign_export_csv": "VV",
    "admin:automation_campaign_add": "MM",
    "admin:automation_campaign_change": "VM",
    "admin:automation_campaign_delete": "MM",
    "admin:automation_campaign_history": "VV",
    "admin:automation_campaign_preview": "VV",
    "admin/automation/campaign/<path:object_id>/": "SS",
    "admin:automation_sighting_changelist": "VV",
    "admin:automation_sighting_add": "--",
    "admin:automation_sighting_change": "V-",
    "admin:automation_sighting_delete": "--",
    "admin:automation_sighting_history": "VV",
    "admin/automation/sighting/<path:object_id>/": "SS",
    # people
    "admin:auth_user_changelist": "WW",
    "admin:auth_user_add": "WW",
    "admin:auth_user_change": "WW",
    "admin:auth_user_password_change": "WW",
    "admin:auth_user_delete": "WW",
    "admin:auth_user_history": "WW",
    "admin/auth/user/<path:object_id>/": "SS",
    "admin:auth_group_changelist": "WW",
    "admin:auth_group_add": "WW",
    "admin:auth_group_change": "WW",
    "admin:auth_group_delete": "WW",
    "admin:auth_group_history": "WW",
    "admin/auth/group/<path:object_id>/": "SS",
}


#: What makes a POST one that does something.
SENT = {"console:attention": {"all": "snooze"}}


def views(resolver: Any = None, space: str = "", route: str = "") -> Iterator[tuple[str, str]]:
    """(name or route, route) of every view of the URL conf."""
    for entry in (resolver or get_resolver()).url_patterns:
        here = route + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield (f"{space}{entry.name}" if entry.name else here or "^$"), here
        else:
            yield from views(entry, f"{space}{entry.namespace}:" if entry.namespace else space, here)


@pytest.fixture
def rows() -> dict[str, Any]:
    """A row behind each part of a route."""
    phone = make_device(host=host_with_key())
    account = make_account(app="instagram", device=phone, totp_secret="JBSWY3DPEHPK3PXP")
    row = needy(account=account, reason="unknown_screen")
    type(row).objects.filter(pk=row.pk).update(fingerprint="abc123")
    services.keep_evidence(row.run, b"\xff\xd8\xff a picture", "<hierarchy/>")
    sighting = Sighting.objects.create(
        app="tiktok", screen="feed", day=timezone.localdate() - timedelta(1), runs=3, last_at=timezone.now()
    )
    return {
        "account": account.pk, "device": phone.pk, "host": phone.host.pk, "run": row.run_id,
        "campaign": Campaign.objects.create(name="nightly", script="match").pk, "sighting": sighting.pk,
        "auditevent": audit.note(AuditAction.SECRET_SHOWN, audit.Who("ann"), account).pk,
        "user": User.objects.create_user("victim", is_staff=True).pk,
        "group": Group.objects.create(name="somebody's own").pk, "attention": row.pk,
        "importjob": over_with_errors().pk,
    }  # fmt: skip


def over_with_errors() -> ImportJob:
    """An import that is over, with rows that had errors."""
    job = jobs.create(table("username logined", ["ann", "maybe"]), "list.xlsx", "tiktok")
    jobs.check_now(job)
    ImportJob.objects.filter(pk=job.pk).update(state=ImportState.DONE, finished_at=timezone.now())
    return job


def address(route: str, rows: dict[str, Any]) -> str:
    """The route with something real in its place-holders."""
    model = next((part for part in reversed(route.split("/")) if part in rows), "run")
    fixed = {
        "run_id": rows["run"], "what": "status", "fingerprint": "abc123", "app_label": "accounts", "url": "nowhere/",
        "content_type_id": 1, "pk": rows[model], "object_id": rows[model], "id": rows[model],
    }  # fmt: skip
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda found: str(fixed[found[1]]), route)
    plain = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(fixed[found[1]]), plain)
    return "/" + plain.replace("^", "").replace("$", "")


def client_of(person: str) -> Client:
    client = Client(raise_request_exception=False)
    if person != "anonymous":
        user = User.objects.create_user(person, is_staff=True)
        user.groups.set(Group.objects.filter(name=person))
        client.force_login(user)
    return client


def is_let_in(answer: Any) -> bool:
    """Neither refused nor sent to sign in."""
    assert answer.status_code < 500, answer.request["PATH_INFO"]
    to_login = answer.status_code == 302 and reverse("admin:login") in answer["Location"]
    has_ended = "HX-Refresh" in answer and not answer.content
    return not (to_login or has_ended) and answer.status_code not in (403, 404, 405)


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_sees_and_does_what_the_matrix_says_and_nothing_else(person, rows):
    client, wrong = client_of(person), []
    sent = {**SENT, "admin:accounts_account_process_import": {"job": rows["importjob"]}}
    for name, route in views():
        if name == "admin:logout":
            continue
        for method, letter in zip(("get", "post"), MATRIX.get(name, "??"), strict=True):
            first = LETTERS.get(letter)
            expected = first is not None and PEOPLE.index(person) >= PEOPLE.index(first)
            answer = getattr(client, method)(
                address(route, rows), sent.get(name) if method == "post" else None
            )
            if letter == "?" or is_let_in(answer) is not expected:
                wrong.append(f"{method} {name}: {answer.status_code}, the matrix says {letter}")
    assert wrong == []


def test_the_matrix_has_no_row_of_a_page_that_is_gone():
    assert set(MATRIX) == {name for name, _route in views()}


@pytest.mark.parametrize("person", PEOPLE[1:])
def test_the_sidebar_links_to_what_its_reader_may_open_and_to_no_other_page(person, rf):
    client, request = client_of(person), rf.get("/")
    request.user = User.objects.get(username=person)
    items = [item for group in navigation(request) for item in group["items"]]
    for item in items:
        is_shown = item.get("permission", lambda _request: True)(request)
        assert is_let_in(client.get(item["link"])) is is_shown, item["title"]
    shown = {str(item["link"]) for item in items if item.get("permission", lambda _request: True)(request)}
    assert (reverse("admin:accounts_importjob_changelist") in shown) is (person in ("Manager", "Owner"))


# The groups


def test_every_permission_that_a_group_is_given_exists():
    for codenames in ROLES.values():
        for codename in codenames:
            assert Permission.objects.filter(codename=codename).count() == 1, codename


def test_the_groups_are_there_after_migrate_and_each_has_more_than_the_one_before():
    have = [
        set(Group.objects.get(name=name).permissions.values_list("codename", flat=True)) for name in ROLES
    ]
    for less, more in pairwise(have):
        assert less < more
    assert "view_auditevent" in have[-1]
    assert "view_auditevent" not in have[-2]


def test_what_an_owner_changed_in_a_group_stays():
    manager = Group.objects.get(name="Manager")
    manager.permissions.remove(Permission.objects.get(codename="export_passwords"))
    Group.objects.get(name="Viewer").delete()
    call_command("migrate", verbosity=0)
    assert make_groups() == ["Viewer"]
    assert not manager.permissions.filter(codename="export_passwords").exists()


def holders(codename: str) -> list[str]:
    return [name for name in ROLES if Group.objects.get(name=name).permissions.filter(codename=codename)]


def test_an_update_gives_a_new_permission_to_the_groups_that_have_it_in_a_new_installation():
    Permission.objects.get(codename="label_screen").delete()  # as in a release that did not have it
    call_command("migrate", verbosity=0)
    assert holders("label_screen") == ["Operator", "Manager", "Owner"]


def test_an_update_gives_a_group_what_its_role_has_more_than_before(monkeypatch):
    monkeypatch.setitem(ROLES, "Viewer", (*ROLES["Viewer"], "view_evidence"))
    call_command("migrate", verbosity=0)
    assert holders("view_evidence") == list(ROLES)


def test_what_was_given_by_an_update_and_taken_away_again_stays_away():
    Permission.objects.get(codename="label_screen").delete()
    call_command("migrate", verbosity=0)
    Group.objects.get(name="Operator").permissions.remove(Permission.objects.get(codename="label_screen"))
    call_command("migrate", verbosity=0)
    assert holders("label_screen") == ["Manager", "Owner"]


# Nobody raises themselves


def test_only_a_superuser_makes_or_touches_one(admin_user):
    client = client_of("Owner")
    owner = User.objects.get(username="Owner")
    page = reverse("admin:auth_user_change", args=[owner.pk])
    sent = {"username": "Owner", "is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": []}
    assert (
        client.post(page, {**sent, "date_joined_0": "2026-01-01", "date_joined_1": "0:00"}).status_code == 302
    )
    owner.refresh_from_db()
    assert not owner.is_superuser
    for name in ("change", "password_change", "delete"):
        refused = client.post(reverse(f"admin:auth_user_{name}", args=[admin_user.pk]), {"post": "yes"})
        assert refused.status_code == 403
