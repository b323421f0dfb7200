"""What the automation floor does when something below it changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from accounts.models import Account
from accounts.services import NotDeleted, RunsMayStart
from accounts.signals import account_disabled, import_waits
from automation import services
from automation.choices import Outcome, RunState
from automation.controller import tickets, wire
from automation.controller.cancels import StillInHand, cancel
from automation.models import Campaign, Run
from automation.querysets import RunQuerySet
from devices.models import Device, Host


@receiver(pre_delete, sender=Account)
@receiver(pre_delete, sender=Campaign)
def end_runs_of_deleted(
    sender: type[Account] | type[Campaign], instance: Account | Campaign, **_kwargs: Any
) -> None:
    """A deleted account has no runs any more; those of a campaign would go on without its limits. Raises NotDeleted."""
    name = sender._meta.model_name
    runs = Run.objects.unfinished().filter(**{f"{name}": instance.pk})
    _end_or_keep(runs, f"{name}_deleted")
    # As `enqueue` and the tick do: what they made meanwhile is seen now, and they make no more.
    _lock(instance)
    _end_or_keep(runs, f"{name}_deleted")


def _lock(row: Account | Campaign) -> None:
    list(type(row).objects.select_for_update().filter(pk=row.pk).values_list("pk"))


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


@receiver(pre_delete, sender=Host)
def take_back_from_deleted_host(instance: Host, **_kwargs: Any) -> None:
    """What was only offered to it waits again. Raises NotDeleted while its agent may have a run in hand."""
    _take_back(Run.objects.filter(host=instance), instance)


@receiver(pre_delete, sender=Device)
def end_runs_of_deleted_device(instance: Device, **_kwargs: Any) -> None:
    """A deleted device has no runs any more. Raises NotDeleted while an agent may have one in hand."""
    runs = Run.objects.filter(device=instance)
    _take_back(runs, instance)
    services.request_cancel(runs.pending(), "", reason="device_deleted")


def _take_back(runs: RunQuerySet, row: Host | Device) -> None:
    in_hand = runs.active().order_by("pk").select_related("host")
    try:
        held = [run for run in in_hand if not _is_taken_back(run)]
    except wire.WIRE_ERRORS as error:
        raise NotDeleted from error
    if held:
        raise StillInHand(row, len(held))


def _is_taken_back(run: Run) -> bool:
    is_free = run.state == RunState.OFFERED and tickets.withdraw(run)
    return is_free and services.withdraw_offer(run, "its host or its phone is deleted")


@receiver(post_delete, sender=Host)
@receiver(post_delete, sender=Device)
def keep_what_was_given_a_run_meanwhile(
    sender: type[Host] | type[Device], instance: Host | Device, **_kwargs: Any
) -> None:
    """Since the look before the deletion; now that the row is locked no more can come. Raises NotDeleted."""
    name = sender._meta.model_name
    late = Run.objects.active().filter(Q(**{f"{name}": None}) | Q(**{f"{name}": instance.pk})).count()
    if late:
        raise StillInHand(instance, late)


@receiver(account_disabled)
def end_runs_of_disabled(account_ids: Iterable[int], actor: str = "", **_kwargs: Any) -> None:
    """A disabled account never runs: what waits is skipped, what is offered withdrawn, what runs canceled."""
    runs = Run.objects.unfinished().filter(account_id__in=list(account_ids)).select_related("host")
    cancel(runs, actor, Outcome.SKIPPED, "disabled")


@receiver(import_waits)
def call_worker(**_kwargs: Any) -> None:
    """The worker need not wait for beat to find an import."""
    wire.call_worker()
