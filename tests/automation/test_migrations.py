"""What the migrations make of rows that are there already."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import FiguresOfDay
from automation.models import Campaign
from tests.factories import make_account

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


@pytest.mark.parametrize(
    ("app", "name", "before"),
    [
        ("accounts", "0005_figures_of_a_day", "0002_figures_of_a_day"),
        ("accounts", "0005_figures_of_a_day", "0004_figures_of_a_day"),
        ("automation", "0009_campaign_options", "0007_campaign_options"),
    ],
)
def test_a_database_made_when_a_migration_had_another_number_goes_on_with_what_it_holds(app, name, before):
    FiguresOfDay.objects.create(account=make_account(), day="2026-11-24", followers=7)
    Campaign.objects.create(name="all", script="match", options={"app": "tiktok"})
    migrate([(app, name)])
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(app, name)
    recorder.record_applied(app, before)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    recorder.record_unapplied(app, before)
    assert FiguresOfDay.objects.get().followers == 7
    assert Campaign.objects.get().options == {"app": "tiktok"}
