"""One order of the operator to the services, and the message that says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.querysets import AccountQuerySet
from automation import campaigns, services
from automation.choices import CampaignState
from automation.console.campaign_page import reason_sentence
from automation.controller import cancels
from automation.models import Campaign, Run
from automation.scripts.base import SCRIPTS
from automation.services import InvalidTransition
from devices.choices import Health
from devices.models import Device

Options = dict[str, Any]  #: what the script is asked with

_STOP = gettext_lazy("Stop and cancel its runs")
#: State of a campaign -> the orders that it takes, as its actions are called.
ORDERS: dict[str, tuple[Promise | str, ...]] = {
    CampaignState.ACTIVE: (gettext_lazy("Start now"), gettext_lazy("Pause"), _STOP),
    CampaignState.PAUSED: (gettext_lazy("Resume"), _STOP),
    CampaignState.HELD: (gettext_lazy("Go on with the rest"), _STOP),
    CampaignState.STOPPED: (gettext_lazy("Resume"),),
}


def for_accounts(
    request: HttpRequest, script: str, accounts: AccountQuerySet, options: Options | None = None
) -> None:
    """Runs of the script for the enabled ones of these accounts."""
    enabled = list(accounts.enabled().select_related("device"))
    disabled = accounts.count() - len(enabled)
    made = services.enqueue(
        script,
        campaigns.for_accounts(enabled),
        requested_by=request.user.get_username(),
        options=options,
    )
    waiting = len(enabled) - len(made)
    _tell(request, len(made), homeless=_homeless(made), waiting=waiting, disabled=disabled)


def for_devices_of(request: HttpRequest, script: str, accounts: AccountQuerySet) -> None:
    """Runs of the script on the phones of the enabled ones of these accounts."""
    enabled = accounts.enabled()
    devices = Device.objects.filter(pk__in=enabled.exclude(device=None).values("device_id"))
    for_devices(
        request,
        script,
        devices,
        disabled=accounts.count() - enabled.count(),
        homeless=enabled.unassigned().count(),
    )


def for_devices(
    request: HttpRequest,
    script: str,
    devices: Iterable[Device],
    disabled: int = 0,
    homeless: int = 0,
    options: Options | None = None,
) -> None:
    """Runs of the script on those of these devices that are not retired."""
    found = list(devices)
    used = [device for device in found if device.health != Health.RETIRED]
    made = services.enqueue(
        script, campaigns.for_devices(used), requested_by=request.user.get_username(), options=options
    )
    left_out = [
        _clause(disabled, DISABLED),
        _clause(homeless, HOMELESS),
        _clause(len(found) - len(used), RETIRED),
    ]
    _tell(request, len(made), waiting=len(used) - len(made), more=left_out)


def start(request: HttpRequest, campaign: Campaign) -> None:
    """Start the campaign now; where nothing was made at once, say why."""
    begun = timezone.now()
    try:
        made = campaigns.start(campaign, requested_by=request.user.get_username())
    except InvalidTransition:
        _refuse(request, campaign)
        return
    newest = campaign.occurrences.latest("pk")
    if newest.reason:
        said = {"name": campaign, "state": newest.get_state_display(), "why": reason_sentence(newest.reason)}
        messages.warning(request, _("%(name)s: %(state)s. %(why)s") % said)
    else:
        homeless = campaign.runs.filter(device=None, created_at__gte=begun).count()
        _tell(request, made, homeless=homeless, name=campaign.name)


def steer(request: HttpRequest, campaign: Campaign, verb: Callable[[Campaign, str], object]) -> None:
    """Pause, resume, stop or go on, and say in which state it is now."""
    try:
        verb(campaign, request.user.get_username())
    except InvalidTransition:
        _refuse(request, campaign)
        return
    campaign.refresh_from_db()
    said = {"name": campaign, "state": campaign.get_state_display()}
    messages.success(request, _("%(name)s is %(state)s now.") % said)


def _refuse(request: HttpRequest, campaign: Campaign) -> None:
    campaign.refresh_from_db()
    if campaign.script not in SCRIPTS:
        messages.error(request, unknown_script(campaign))
        return
    can = ", ".join(f"“{order}”" for order in ORDERS[campaign.state])
    said = {"name": campaign, "state": campaign.get_state_display(), "orders": can}
    messages.warning(request, _("%(name)s is %(state)s: what can be done with it now is %(orders)s.") % said)


def unknown_script(campaign: Campaign) -> str:
    """Why a campaign cannot start whose script is gone."""
    said = {"name": campaign, "script": campaign.script}
    return (
        _("%(name)s cannot start: its script “%(script)s” is not known here. ./run doctor says more.") % said
    )


def cancel(request: HttpRequest, runs: Iterable[Run]) -> None:
    """End these runs; those that have ended are left alone."""
    count = cancels.cancel(runs, request.user.get_username())
    text = ngettext("%(n)s run canceled.", "%(n)s runs canceled.", count)
    messages.success(request, text % {"n": count})


def again(request: HttpRequest, runs: Sequence[Run]) -> None:
    """The same once more, for runs that are over and whose account is not disabled."""
    enabled = [run for run in runs if run.account is None or run.account.is_enabled]
    made = services.enqueue_again(
        [(run, (run.account, run.device)) for run in enabled], requested_by=request.user.get_username()
    )
    waiting, disabled = len(enabled) - len(made), len(runs) - len(enabled)
    _tell(request, len(made), homeless=_homeless(made), waiting=waiting, disabled=disabled)


DISABLED, WAITING, HOMELESS, RETIRED, ENDED = "disabled", "waiting", "homeless", "retired", "ended"


def _clause(count: int, kind: str) -> str:
    """Why so many were left out; empty for none."""
    texts = {
        DISABLED: ngettext("%(n)s left out: disabled", "%(n)s left out: disabled", count),
        WAITING: ngettext("%(n)s already waiting", "%(n)s already waiting", count),
        HOMELESS: ngettext("%(n)s left out: on no device", "%(n)s left out: on no device", count),
        RETIRED: ngettext("%(n)s left out: device retired", "%(n)s left out: device retired", count),
        ENDED: ngettext("%(n)s ended at once: on no device", "%(n)s ended at once: on no device", count),
    }
    return texts[kind] % {"n": count} if count else ""


def _homeless(runs: Iterable[Run]) -> int:
    return sum(run.device_id is None for run in runs)


def _tell(
    request: HttpRequest,
    made: int,
    *,
    homeless: int = 0,
    waiting: int = 0,
    disabled: int = 0,
    more: Sequence[str] = (),
    name: str = "",
) -> None:
    """One message: what was made, what was left out and why."""
    first = ngettext("%(n)s run made", "%(n)s runs made", made) % {"n": made}
    clauses = [_clause(disabled, DISABLED), *more, _clause(waiting, WAITING), _clause(homeless, ENDED)]
    text = "; ".join(filter(None, [f"{name}: {first}" if name else first, *clauses])) + "."
    (messages.success if made else messages.warning)(request, text)
