"""Celery on the controller's side: ids only, JSON only, no results. Agents have an app of their own."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from automation.protocol import CELERY_SETTINGS

app = Celery("phonerack")
app.conf.update(
    CELERY_SETTINGS,
    broker_url=settings.REDIS_URL,
    task_default_queue="ticks",
    timezone="UTC",
    beat_schedule={
        "campaign-tick": {
            "task": "automation.campaign_tick",
            "schedule": 15.0,
            "options": {"expires": 15, "queue": "ticks"},
        }
    },
    beat_schedule_filename=str(settings.STATE / "beat-schedule"),
)
app.autodiscover_tasks()
