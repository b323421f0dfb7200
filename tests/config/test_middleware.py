"""What is asked for is done as far as it can be while Redis is away or others do the same; the page says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError
from django.db.models.signals import pre_delete
from django.urls import reverse

from accounts.models import Account
from automation.controller.wire import wire
from automation.models import Campaign
from tests.automation.rows import offered_run
from tests.deleting import delete

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
    answer = delete(admin_client, way, [kept])
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


@pytest.mark.parametrize("way", ["page", "list"])
def test_a_deletion_that_the_database_refuses_changes_nothing_and_says_so(
    admin_client, redis_client, way: str
) -> None:
    """As PostgreSQL does where a campaign starts while it is being deleted."""
    campaign = Campaign.objects.create(name="all", script="login")
    pre_delete.connect(_refuse, sender=Campaign)
    try:
        answer = delete(admin_client, way, [campaign])
    finally:
        pre_delete.disconnect(_refuse, sender=Campaign)
    assert answer.status_code == 200
    assert "Nothing was changed: somebody else" in answer.text
    assert "successfully" not in answer.text.lower()
    assert Campaign.objects.exists()
    assert not LogEntry.objects.exists()


def _refuse(**_kwargs: object) -> None:
    raise IntegrityError("still referenced")
