"""The user's own scripts in the admin: as actions, with a form for their options, and in campaigns."""

from __future__ import annotations

import re

import pytest
from django.core.checks import run_checks
from django.urls import reverse

from automation import services
from automation.campaigns import tick
from automation.controller import tickets
from automation.models import Campaign, Run
from automation.scripts.base import SCRIPTS
from config import doctor
from tests.automation.rows import host_with_key, offer_run, start_run
from tests.automation.test_admin import ACCOUNTS, ADD_CAMPAIGN, DEVICES, act, campaign, login_as, said
from tests.factories import make_account, make_device, started
from tests.own_scripts import BATTERY, GREET, Load

pytestmark = pytest.mark.django_db
DEFAULTS = {"loud": False, "times": 2, "word": "hello", "tone": "kind"}
ENTERED = {"option-greet-times": "4", "option-greet-word": "hi", "option-greet-tone": "stern"}
READ = {"loud": False, "times": 4, "word": "hi", "tone": "stern"}


@pytest.fixture(autouse=True)
def _own(load_own: Load) -> None:
    assert load_own(GREET, BATTERY) == []


def test_a_script_for_accounts_is_an_action_there_and_one_for_devices_there(admin_client):
    make_account(device=make_device())
    accounts, devices = (admin_client.get(url).content.decode() for url in (ACCOUNTS, DEVICES))
    assert ('value="script-greet"' in accounts, 'value="script-battery"' in accounts) == (True, False)
    assert ('value="script-greet"' in devices, 'value="script-battery"' in devices) == (False, True)


def test_one_without_options_runs_at_once_also_from_the_page_of_the_row(admin_client):
    phone = make_device()
    page = admin_client.get(reverse("admin:devices_device_change", args=[phone.pk])).content.decode()
    assert 'value="script-battery"' in page
    assert said(act(admin_client, DEVICES, "script-battery", phone)) == ["1 run made."]
    assert (Run.objects.get().script, Run.objects.get().device) == ("battery", phone)


def test_one_with_options_asks_for_them_first(admin_client):
    account = make_account(device=make_device())
    page = act(admin_client, ACCOUNTS, "script-greet", account).content.decode()
    assert not Run.objects.exists()
    assert "So that all hear it." in page
    assert re.search(
        r'name="option-greet-times"[^>]* value="2"|value="2"[^>]* name="option-greet-times"', page
    )
    assert f'name="_selected_action" value="{account.pk}"' in page
    assert said(act(admin_client, ACCOUNTS, "script-greet", account, asked=1, **ENTERED)) == ["1 run made."]
    assert Run.objects.get().options == READ


def test_the_order_for_all_that_match_the_filter_survives_the_question(admin_client):
    phone = make_device()
    chosen = [make_account(device=phone, tags="nl") for _number in range(3)]
    make_account(device=phone, tags="be")
    page = act(
        admin_client, f"{ACCOUNTS}?tag=nl", "script-greet", chosen[0], select_across=1
    ).content.decode()
    assert 'name="select_across" value="1"' in page
    assert f'action="{ACCOUNTS}?tag=nl"' in page
    act(admin_client, f"{ACCOUNTS}?tag=nl", "script-greet", chosen[0], select_across=1, asked=1, **ENTERED)
    assert Run.objects.filter(account__tags="nl").count() == Run.objects.count() == 3


def test_a_wrong_option_is_asked_again_with_a_sentence(admin_client):
    account = make_account(device=make_device())
    page = act(
        admin_client, ACCOUNTS, "script-greet", account, asked=1, **ENTERED | {"option-greet-times": "9"}
    )
    assert "It must be 1 to 5." in page.content.decode()
    assert not Run.objects.exists()


def test_who_may_not_add_runs_is_offered_none_and_orders_none(client):
    account = make_account(device=make_device())
    login_as(client, "view_account", "change_account", "view_device")
    assert "script-greet" not in client.get(ACCOUNTS).content.decode()
    act(client, ACCOUNTS, "script-greet", account, asked=1, **ENTERED)
    act(client, DEVICES, "script-battery", account.device)
    assert not Run.objects.exists()


def test_a_campaign_keeps_the_options_and_its_runs_get_them(admin_client):
    admin_client.post(ADD_CAMPAIGN, campaign(script="greet", **ENTERED))
    made = Campaign.objects.get()
    assert made.options == READ
    make_account(device=make_device())
    (run,) = started(made)
    assert Run.objects.get(pk=run.pk).options == READ
    page = admin_client.get(reverse("admin:automation_run_change", args=[run.pk])).content.decode()
    assert "<dt>Tone</dt><dd>Stern</dd>" in page


def test_the_form_of_a_campaign_shows_what_is_kept_and_takes_changes(admin_client):
    admin_client.post(ADD_CAMPAIGN, campaign(script="greet", **ENTERED))
    made = Campaign.objects.get()
    url = reverse("admin:automation_campaign_change", args=[made.pk])
    page = admin_client.get(url).content.decode()
    assert "Options of “Greet”" in page
    assert re.search(
        r'name="option-greet-times"[^>]* value="4"|value="4"[^>]* name="option-greet-times"', page
    )
    admin_client.post(url, campaign(script="greet", **ENTERED | {"option-greet-loud": "on"}))
    made.refresh_from_db()
    assert made.options == {**READ, "loud": True}
    admin_client.post(url, campaign(script="match", **ENTERED))
    made.refresh_from_db()
    assert (made.script, made.options) == ("match", {})


def test_a_wrong_option_of_a_campaign_is_refused_but_only_of_the_chosen_script(admin_client):
    wrong = {**ENTERED, "option-greet-word": "much too long"}
    page = admin_client.post(ADD_CAMPAIGN, campaign(script="greet", **wrong)).content.decode()
    assert "It may have 10 characters at most." in page
    assert not Campaign.objects.exists()
    admin_client.post(ADD_CAMPAIGN, campaign(script="match", **wrong))
    assert Campaign.objects.get().options == {}


def test_a_campaign_can_be_looked_at_by_who_may_not_change_it(client):
    made = Campaign.objects.create(name="c", script="greet", options=READ)
    login_as(client, "view_campaign")
    page = client.get(reverse("admin:automation_campaign_change", args=[made.pk]))
    assert page.status_code == 200
    assert "<dt>Tone</dt><dd>Stern</dd>" in page.content.decode()


def test_a_campaign_whose_script_is_gone_starts_nothing_and_says_so_everywhere(admin_client, caplog):
    made = Campaign.objects.create(name="c", script="gone", every_minutes=1, overlap="skip")
    Campaign.objects.update(checked_at="2026-01-01T00:00Z")
    assert (
        "is not known here"
        in said(act(admin_client, reverse("admin:automation_campaign_changelist"), "start_now", made))[0]
    )
    assert tick() == 0
    assert "the script gone is not known here" in caplog.text
    assert "Traceback" not in caplog.text
    url = reverse("admin:automation_campaign_change", args=[made.pk])
    assert admin_client.get(url).status_code == 200
    preview = admin_client.get(reverse("admin:automation_campaign_preview", args=[made.pk]), follow=True)
    assert "is not known here" in said(preview)[0]
    assert (
        "This script is not known here." in admin_client.post(url, campaign(script="gone")).content.decode()
    )
    (finding,) = doctor.findings(["campaigns"])
    assert (finding.kind, "its script gone is not known" in finding.sentence) == ("bad", True)


def test_doctor_names_a_campaign_whose_options_its_script_no_longer_takes():
    Campaign.objects.create(name="c", script="greet", options={**READ, "times": 9})
    Campaign.objects.create(name="fits", script="greet", options={"times": 1})
    (finding,) = doctor.findings(["campaigns"])
    assert (finding.kind, "Campaign c, option times: It must be 1 to 5." in finding.sentence) == ("bad", True)


def test_doctor_and_check_say_what_is_wrong_with_a_module(load_own: Load):
    load_own("import no_such_thing")
    bad, good = doctor.findings(["scripts"])
    assert (bad.kind, "No module named 'no_such_thing'" in bad.sentence) == ("bad", True)
    assert (good.kind, "greet (own_script_0), battery (own_script_1)" in good.sentence) == ("good", True)
    (message,) = [one for one in run_checks() if one.id == "phonerack.W001"]
    assert "No module named 'no_such_thing'" in message.msg


@pytest.mark.parametrize("script", ["greet", "sync", "login"])
def test_only_the_ticket_of_a_login_carries_password_and_codes(script, settings):
    phone = make_device(host=host_with_key())
    account = make_account(app="instagram", device=phone, password="canary", totp_secret="JBSWY3DPEHPK3PXP")
    (run,) = services.enqueue(script, [(account, phone)], requested_by="ann", options={})
    ticket = tickets.make(run, phone, phone.host)
    assert ("password" in ticket.account, "codes" in ticket.account) == (script == "login",) * 2
    assert (ticket.account["username"], "canary" in ticket.to_json()) == (account.username, script == "login")


def test_its_end_is_told_in_its_own_words_where_its_reason_is_its_own(admin_client):
    phone = make_device(host=host_with_key())
    (run,) = services.enqueue("battery", [(None, phone)], requested_by="ann")
    offered = offer_run(run, phone.host_id)
    run = start_run(offered.pk, offered.fence)
    services.finish_run(run, "succeeded", reason="battery_read", message="80 percent.\nMore.")
    page = admin_client.get(reverse("admin:automation_run_changelist")).content.decode()
    assert "80 percent." in page
    assert "battery read" not in page


def test_a_script_of_the_users_is_told_from_ours():
    assert {name: one.is_shipped for name, one in SCRIPTS.items()} == {
        "login": True, "match": True, "sync": True, "greet": False, "battery": False,
    }  # fmt: skip
