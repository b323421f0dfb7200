"""What is asked for while Redis is away is done as far as it can be, and the page says what was not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import Account
from automation.controller.wire import wire
from automation.models import Campaign
from tests.automation.rows import offered_run

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNTS = reverse("admin:accounts_account_changelist")


@pytest.fixture
def no_redis(settings) -> Iterator[None]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    wire.cache_clear()
    yield
    wire.cache_clear()


def test_disabling_while_redis_is_away_saves_and_warns(admin_client, no_redis) -> None:
    run = offered_run()
    ticked = {"action": "disable_accounts", "_selected_action": [run.account_id]}
    answer = admin_client.post(ACCOUNTS, ticked, follow=True)
    assert answer.status_code == 200
    assert "may still start within a minute" in answer.text
    assert Account.objects.get(pk=run.account_id).is_enabled is False
    run.refresh_from_db()
    assert run.cancel_requested


@pytest.mark.parametrize("way", ["page", "list"])
@pytest.mark.parametrize("what", ["account", "campaign", "host", "device"])
def test_what_cannot_be_deleted_while_redis_is_away_stays_and_the_page_says_so(
    admin_client, no_redis, way: str, what: str
) -> None:
    run = offered_run(campaign=Campaign.objects.create(name="all", script="login"))
    kept = getattr(run, what)
    name = f"admin:{kept._meta.app_label}_{what}"
    if way == "page":
        url, form = reverse(f"{name}_delete", args=[kept.pk]), {}
    else:
        url, form = (
            reverse(f"{name}_changelist"),
            {"action": "delete_selected", "_selected_action": [kept.pk]},
        )
    answer = admin_client.post(url, {**form, "post": "yes"}, follow=True, headers={"Referer": url})
    assert answer.status_code == 200
    assert "Nothing was deleted: Redis does not answer" in answer.text
    assert "successfully" not in answer.text.lower()
    assert type(kept).objects.filter(pk=kept.pk).exists()
    assert not LogEntry.objects.exists()
    run.refresh_from_db()
    assert not run.cancel_requested


def test_an_account_without_offered_runs_is_deleted_without_redis(admin_client, no_redis) -> None:
    account = offered_run().account
    other = Account.objects.create(app="tiktok", username="other")
    ticked = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    assert "Successfully deleted 1 account." in admin_client.post(ACCOUNTS, ticked, follow=True).text
    assert list(Account.objects.all()) == [account]
    assert LogEntry.objects.get().is_deletion()
