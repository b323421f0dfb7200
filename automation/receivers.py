"""What the automation floor does when something below it changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from accounts.models import Account
from accounts.services import NotDeleted, RunsMayStart
from accounts.signals import account_disabled, import_waits
from automation.choices import Outcome
from automation.controller import wire
from automation.controller.cancels import cancel
from automation.models import Campaign, Run


@receiver(pre_delete, sender=Account)
def end_runs_of_deleted(instance: Account, **_kwargs: Any) -> None:
    """A deleted account has no runs any more. Raises NotDeleted."""
    _end_or_keep(Run.objects.unfinished().filter(account=instance), "account_deleted")


@receiver(pre_delete, sender=Campaign)
def end_runs_of_deleted_campaign(instance: Campaign, **_kwargs: Any) -> None:
    """Without their campaign its runs would go on without its limits. Raises NotDeleted."""
    _end_or_keep(Run.objects.unfinished().filter(campaign=instance), "campaign_deleted")


def _end_or_keep(runs: QuerySet[Run], reason: str) -> None:
    """Before the deletion, which NotDeleted takes back; and after its commit, for until then the controller
    sees no reason not to put a ticket down.
    """
    ids = list(runs.values_list("pk", flat=True))
    if not ids:
        return
    still = Run.objects.filter(pk__in=ids).select_related("host")
    try:
        cancel(still, "", reason=reason)
    except RunsMayStart as error:
        raise NotDeleted from error
    transaction.on_commit(lambda: cancel(still.all(), "", reason=reason))


@receiver(account_disabled)
def end_runs_of_disabled(account_ids: Iterable[int], actor: str = "", **_kwargs: Any) -> None:
    """A disabled account never runs: what waits is skipped, what is offered withdrawn, what runs canceled."""
    runs = Run.objects.unfinished().filter(account_id__in=list(account_ids)).select_related("host")
    cancel(runs, actor, Outcome.SKIPPED, "disabled")


@receiver(import_waits)
def call_worker(**_kwargs: Any) -> None:
    """The worker need not wait for beat to find an import."""
    wire.call_worker()
