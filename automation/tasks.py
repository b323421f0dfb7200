"""Celery tasks of the controller's side: thin, one service call each."""

from __future__ import annotations

from celery import shared_task

from automation import campaigns
from automation.protocol import TICK_TASK


@shared_task(name=TICK_TASK, ignore_result=True)
def campaign_tick() -> int:
    """Start what is due; returns how many runs were made. A double or late tick is harmless."""
    return campaigns.tick()
