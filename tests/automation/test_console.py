"""The overview and the evidence views."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import translation

from accounts import services as accounts
from automation import services
from automation.console.reasons import KNOWN, advice, sentence
from automation.models import RunEvent
from automation.scripts.base import SCRIPTS
from automation.scripts.reasons import CONTROLLER_REASONS
from config.env import BASE
from devices.models import Device
from tests.automation.rows import finished_run, host_with_key, run_on, running_run
from tests.automation.test_attention import needy
from tests.factories import make_account, make_device, make_host

pytestmark = pytest.mark.django_db

HOME, LIVE = reverse("admin:index"), reverse("console:live")
JPEG = b"\xff\xd8\xff\xe0 a picture"


def login_as(client, *permissions):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def cell_of(page, device):
    """(state, tooltip) of a device's cell on the wall."""
    url = reverse("admin:devices_device_change", args=[device.pk])
    found = re.search(rf'pr-c-(\w+)" href="{url}" title="([^"]*)"', page)
    assert found is not None
    return found.groups()


# The wall


def test_each_phone_shows_its_state_and_why(admin_client):
    host = host_with_key()
    idle, broken = make_device(pk=12_345, host=host), make_device(host=host, health="quarantined")
    offline, kept = make_device(host=host, connection="offline"), make_device(host=host, hold="person")
    working = running_run(make_device(host=host)).device
    silent = make_device(host=make_host(name="deaf", is_silent=True))
    unsure = needy(make_device(host=host), reason="wrong_password", outcome="failed").device
    page = admin_client.get(HOME).content.decode()
    cells = {
        name: cell_of(page, device)
        for name, device in {
            "idle": idle, "broken": broken, "offline": offline, "kept": kept, "working": working,
            "silent": silent, "unsure": unsure,
        }.items()
    }  # fmt: skip
    assert {name: state for name, (state, _why) in cells.items()} == {
        "idle": "idle", "broken": "quarantined", "offline": "offline", "kept": "person", "working": "working",
        "silent": "offline", "unsure": "person",
    }  # fmt: skip
    assert "Log in" in cells["working"][1]
    assert "is offline: check its cable" in cells["offline"][1]
    assert "Host deaf is not heard: start its agent there" in cells["silent"][1]
    assert (
        page.count("Host deaf is not heard: start its agent there") == 2
    )  # also beside the name of the host
    assert "needs a person" in cells["unsure"][1]


def test_a_hub_that_lost_half_of_its_phones_is_pointed_at(admin_client):
    host = host_with_key()
    for number in range(6):
        make_device(host=host, hub="1-1", port=str(number), connection="online" if number > 2 else "offline")
        make_device(host=host, hub="1-2", port=str(number), connection="online" if number > 1 else "offline")
    page = admin_client.get(HOME).content.decode()
    assert page.count("look at the hub") == 1
    assert "3 of 6 phones offline" in page


def test_retired_phones_are_not_on_the_wall(admin_client):
    device = make_device(health="retired")
    assert (
        reverse("admin:devices_device_change", args=[device.pk])
        not in admin_client.get(HOME).content.decode()
    )


def test_500_phones_cost_as_many_questions_as_5(admin_client, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(30) as queries:
            response = admin_client.get(LIVE)
        return len(queries), response

    def plug_in(first, last):
        rows = [
            Device(
                serial=f"S{number:04}", label=str(number), host=hosts[number % 5], hub=f"1-{number % 7}",
                connection="offline" if number % 9 == 0 else "online", battery=50, temperature=30.0,
            )
            for number in range(first, last)
        ]  # fmt: skip
        Device.objects.bulk_create(rows)

    hosts = [host_with_key() for _ in range(5)]
    plug_in(0, 5)
    needy(Device.objects.filter(connection="online").first(), reason="wrong_password", outcome="failed")
    running_run(Device.objects.filter(connection="online").first())
    few, _small = count()
    plug_in(5, 500)
    many, response = count()
    assert many == few <= 20
    assert response.content.count(b"pr-cell pr-c-") >= 500
    assert len(gzip.compress(response.content)) < 25_000


# The numbers, attention and runs


def test_the_numbers_count_accounts_runs_and_hosts(admin_client):
    make_account(is_logged_in=True)
    make_account(is_enabled=False)
    make_host(is_silent=True)
    finished_run()
    run_on()
    response = admin_client.get(HOME)
    page = re.sub(r"\s+", " ", response.content.decode())
    assert re.search(r"<b>1<i>/\d</i></b><span>hosts silent", page)
    for tile in ("<b>1</b><span>disabled", "<b>1</b><span>runs waiting", "<b>0</b><span>runs in hand"):
        assert tile in page
    assert "1 succeeded" in page


def test_attention_shows_the_sentence_what_to_do_and_the_run_that_found_it(admin_client):
    run = services.finish_run(running_run(), "needs_person", reason="captcha")
    page = admin_client.get(HOME).content.decode()
    assert "The app shows a puzzle for people." in page
    assert "Solve it on the phone" in page
    assert reverse("admin:automation_run_change", args=[run.pk]) in page


def test_the_newest_attention_stands_first(admin_client):
    first, second = needy().account, needy().account
    page = admin_client.get(HOME).content.decode()
    assert page.index(str(second)) < page.index(str(first))


def test_an_empty_installation_says_what_to_do(admin_client):
    page = admin_client.get(HOME).content.decode()
    assert "Start an agent" in page
    assert "Nobody is needed." in page


# The live part


def test_the_live_part_is_sent_again_only_when_something_changed(admin_client):
    device = make_device()
    page = admin_client.get(LIVE).content.decode()
    seen = re.search(r"\?seen=(\w+)", page)
    assert seen is not None
    address = f"{LIVE}?seen={seen.group(1)}"
    assert admin_client.get(address).status_code == 204
    Device.objects.filter(pk=device.pk).update(connection="offline")
    assert admin_client.get(address).status_code == 200


def test_an_ended_session_reloads_the_page_instead_of_filling_it_with_a_login(client):
    response = client.get(LIVE)
    assert (response.status_code, response.headers["HX-Refresh"]) == (204, "true")


def test_who_may_see_nothing_is_shown_nothing(client):
    run = services.finish_run(running_run(), "needs_person", reason="captcha")
    page = login_as(client).get(HOME).content.decode()
    for hidden in (run.account.username, run.device.serial, "runs waiting", "pr-cell"):
        assert hidden not in page


def test_no_link_is_shown_to_what_may_not_be_seen(client):
    page = login_as(client, "view_device").get(HOME).content.decode()
    assert reverse("admin:devices_device_changelist") in page
    assert reverse("admin:auth_user_changelist") not in page
    assert reverse("admin:accounts_account_changelist") not in page


# Evidence


def with_evidence(screenshot=JPEG, dump="<hierarchy/>"):
    run = finished_run()
    services.keep_evidence(run, screenshot, dump, "hash")
    return run


def urls_of(run):
    return [reverse(f"console:{part}", args=[run.pk]) for part in ("screenshot", "dump")]


def test_evidence_is_never_stored_and_never_taken_for_something_else(admin_client):
    picture, dump = (admin_client.get(url) for url in urls_of(with_evidence()))
    assert (picture.content, picture["Content-Type"]) == (JPEG, "image/jpeg")
    assert (dump.content, dump["Content-Type"]) == (b"<hierarchy/>", "text/plain; charset=utf-8")
    for response in (picture, dump):
        assert response["Cache-Control"] == "no-store"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_what_is_no_picture_is_not_served_as_one(admin_client):
    run = with_evidence(screenshot=b"<svg onload=alert(1)>")
    assert admin_client.get(urls_of(run)[0]).status_code == 404


@pytest.mark.parametrize("permissions", [[], ["view_run", "change_run"]])
def test_without_its_own_permission_no_evidence_is_shown(client, permissions):
    run = with_evidence(dump="<node text='inbox of ann'/>")
    login_as(client, *permissions)
    for url in urls_of(run):
        response = client.get(url)
        assert response.status_code == 403
        assert b"inbox of ann" not in response.content
    if permissions:
        page = client.get(reverse("admin:automation_run_change", args=[run.pk])).content.decode()
        assert not any(url in page for url in urls_of(run))


def test_a_stranger_sees_no_evidence(client):
    assert [client.get(url).status_code for url in urls_of(with_evidence())] == [403, 403]


def test_the_page_of_a_run_shows_its_evidence_to_those_who_may(client):
    run = with_evidence()
    login_as(client, "view_run", "view_evidence")
    page = client.get(reverse("admin:automation_run_change", args=[run.pk])).content.decode()
    assert all(url in page for url in urls_of(run))


def test_no_secret_stands_on_any_page(admin_client):
    run = with_evidence()
    account = run.account
    accounts.set_credentials(account, "canary-password", "JBSWY3DPEHPK3PXP")
    for url in (
        HOME,
        LIVE,
        reverse("admin:automation_run_changelist"),
        reverse("admin:automation_run_change", args=[run.pk]),
        reverse("admin:accounts_account_changelist"),
        reverse("admin:accounts_account_change", args=[account.pk]),
        reverse("admin:devices_device_change", args=[run.device_id]),
    ):
        page = admin_client.get(url).content
        assert b"canary-password" not in page
        assert b"JBSWY3DPEHPK3PXP" not in page


# Dutch

LOCALE = Path(settings.LOCALE_PATHS[0]).parent / "locale" / "nl" / "LC_MESSAGES"


def test_a_dutch_browser_gets_dutch_pages(client, admin_user):
    client.force_login(admin_user)
    run_on()
    page = client.get(HOME, headers={"Accept-Language": "nl"}).content.decode()
    for word in ("Overzicht", "Apparaten", "Telefoons"):
        assert word in page


def test_every_reason_says_what_helps_but_those_that_need_nothing():
    needs_nothing = {"canceled", "account_deleted", "campaign_deleted", "device_deleted", "host_deleted"}
    assert {code for code in CONTROLLER_REASONS if not advice(code)} == needs_nothing


def test_the_table_of_reasons_has_those_that_there_are():
    text = (BASE / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = text.partition("## Reasons")[2].partition("\nPassing")[0].splitlines()
    told = {code for row in rows for code in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")}
    assert told <= KNOWN.keys()
    assert CONTROLLER_REASONS.keys() - told == {"canceled"}


def test_every_reason_and_script_has_its_dutch_words():
    with translation.override("nl"):
        for code in KNOWN:
            assert sentence(code) != english(sentence, code), code
            assert not advice(code) or advice(code) != english(advice, code), code
        assert {translation.gettext(one.label) for one in SCRIPTS.values()}.isdisjoint(
            one.label for one in SCRIPTS.values()
        )


def test_no_text_waits_for_its_dutch():
    written = (LOCALE / "django.po").read_text(encoding="utf-8")
    _head, *texts = written.split("\n\n")
    assert "fuzzy" not in written
    assert [text for text in texts if text.strip().endswith('msgstr ""')] == []


def test_what_happened_to_a_run_is_told_in_the_language_of_the_browser(admin_client):
    run = finished_run()
    RunEvent.objects.create(run=run, kind="step", name="open the app")
    url = reverse("admin:automation_run_change", args=[run.pk])
    page = admin_client.get(url, headers={"Accept-Language": "nl"}).content.decode()
    assert "de app openen" in page
    assert "geslaagd · Het account is ingelogd." in page


def english(of, code):
    with translation.override("en"):
        return of(code)


def test_the_compiled_words_are_those_of_the_written_ones(tmp_path):
    if shutil.which("msgfmt") is None:
        pytest.skip("no msgfmt here")
    fresh = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", str(fresh), str(LOCALE / "django.po")], check=True)
    assert fresh.read_bytes() == (LOCALE / "django.mo").read_bytes()
