"""What the migrations make of rows that are there already."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = [("automation", "0002_lines_and_limits")], [("automation", "0005_earlier_starts_are_over")]


def migrate(to):
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    return executor.loader.project_state(to).apps


@pytest.fixture
def apps_before():
    yield migrate(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_an_inactive_campaign_becomes_a_paused_one_and_its_earlier_starts_are_over(apps_before):
    old = apps_before.get_model("automation", "Campaign")
    old.objects.create(name="on", script="match", is_active=True)
    off = old.objects.create(name="off", script="match", is_active=False)
    apps_before.get_model("automation", "Occurrence").objects.create(campaign=off, due_at="2026-01-01 00:00Z")
    apps = migrate(AFTER)
    states = apps.get_model("automation", "Campaign").objects.values_list("name", "state")
    assert dict(states) == {"on": "active", "off": "paused"}
    assert apps.get_model("automation", "Occurrence").objects.get().state == "over"


def test_back_again_a_paused_campaign_is_inactive(apps_before):
    apps = migrate(AFTER)
    campaigns = apps.get_model("automation", "Campaign").objects
    for name in ("active", "paused", "held"):
        campaigns.create(name=name, script="match", state=name)
    back = migrate(BEFORE).get_model("automation", "Campaign").objects.values_list("name", "is_active")
    assert dict(back) == {"active": True, "paused": False, "held": False}
