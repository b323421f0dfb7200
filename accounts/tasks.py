"""Celery tasks of accounts: thin, one call each."""

from __future__ import annotations

from celery import shared_task

from accounts.excel import jobs

IMPORT_TASK = "accounts.imports_tick"


@shared_task(name=IMPORT_TASK, ignore_result=True)
def imports_tick() -> int:
    """Work on the imports that wait, resume those whose process is gone; returns how many."""
    return jobs.tick()
