"""Disabling an account works without Redis, and the page says what is uncertain."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Account
from automation.controller.wire import wire
from tests.automation.rows import offered_run


@pytest.mark.django_db(transaction=True)
def test_disabling_while_redis_is_away_saves_and_warns(admin_client, settings) -> None:
    run = offered_run()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    wire.cache_clear()
    answer = admin_client.post(
        reverse("admin:accounts_account_changelist"),
        {"action": "disable_accounts", "_selected_action": [run.account_id]},
        follow=True,
    )
    wire.cache_clear()
    assert answer.status_code == 200
    assert "may still start within a minute" in answer.text
    assert Account.objects.get(pk=run.account_id).is_enabled is False
    run.refresh_from_db()
    assert run.cancel_requested
