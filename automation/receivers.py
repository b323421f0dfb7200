"""What the automation floor does when something below it changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from accounts.signals import account_disabled
from automation.choices import Outcome
from automation.controller.cancels import cancel
from automation.models import Run


@receiver(account_disabled)
def end_runs_of_disabled(account_ids: Iterable[int], actor: str = "", **_kwargs: Any) -> None:
    """A disabled account never runs: what waits is skipped, what is offered withdrawn, what runs canceled."""
    runs = Run.objects.unfinished().filter(account_id__in=list(account_ids)).select_related("host")
    cancel(runs, actor, Outcome.SKIPPED, "disabled")
