"""Celery on the controller's side: ids only, JSON only, no results. Agents have an app of their own."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from automation import transport
from automation.protocol import CELERY_SETTINGS, IMPORT_TASK, TICK_TASK, TICKS

transport.use(transport.Ticks)

app = Celery("phonerack")
app.conf.update(
    CELERY_SETTINGS,
    broker_url=settings.REDIS_URL,
    task_default_queue=TICKS,
    timezone="UTC",
    beat_schedule={
        "campaign-tick": {
            "task": TICK_TASK,
            "schedule": 15.0,
            "options": {"expires": 15, "queue": TICKS},
        },
        "imports-tick": {
            "task": IMPORT_TASK,
            "schedule": 15.0,
            "options": {"expires": 15, "queue": TICKS},
        },
    },
    beat_schedule_filename=str(settings.STATE / "beat-schedule"),
)
app.autodiscover_tasks()
