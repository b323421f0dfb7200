"""What would come of a campaign if it started now; nothing is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from automation import targets as whom
from automation.campaigns import TRIAL
from automation.choices import OverlapPolicy
from automation.console.why import Why
from automation.models import Campaign, Run
from automation.services import Target, keys
from devices.choices import Health
from devices.models import Device

NAMED = 50  #: who is in it, by name
REASONS_SHOWN = 12


@dataclass(frozen=True)
class Outlook:
    """What would start at once, and why the others would wait: sentence -> runs."""

    now: int
    waiting: list[tuple[str, int]]


@dataclass(frozen=True)
class Preview:
    """Who would get a run, who would not and why."""

    total: int
    first: int | None  #: runs of the trial's first stage; None: no trial
    each: str  #: time between two runs; empty: they are not spread
    names: list[str]
    left_out: list[tuple[str, int]]
    outlook: Outlook
    more: int = field(default=0)  #: targets that are not named


def preview(campaign: Campaign) -> Preview:
    """Who would be in it now."""
    chosen, left_out = sort_out(campaign)
    return Preview(
        total=len(chosen),
        first=min(TRIAL[0], len(chosen)) if campaign.canary else None,
        each=_between(campaign.spread_minutes or 0, len(chosen)),
        names=[_name(target) for target in chosen[:NAMED]],
        left_out=[(sentence, count) for sentence, count in left_out.items() if count],
        outlook=outlook(campaign, chosen),
        more=max(0, len(chosen) - NAMED),
    )


def _between(minutes: int, runs: int) -> str:
    seconds = minutes * 60 / runs if runs else 0
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds else ""
    return f"{seconds / 60:.1f} min"


def sort_out(campaign: Campaign) -> tuple[list[Target], dict[str, int]]:
    """(those that would get a run on a phone, sentence -> those left out), in the order of their starts."""
    found = whom.targets_of(campaign)
    at_home = [target for target in found if target[1]]
    again = campaign.overlap == OverlapPolicy.ALLOW
    waiting = set() if again else _waiting(campaign)
    chosen = [target for target in at_home if keys(target) not in waiting]
    return chosen, {
        **_not_meant(campaign),
        _("Without a device: the run ends at once."): len(found) - len(at_home),
        _("The same script is not over for it."): len(at_home) - len(chosen),
    }


def _not_meant(campaign: Campaign) -> dict[str, int]:
    if whom.needs_account(campaign):
        disabled = whom.accounts_meant(campaign).filter(is_enabled=False)
        return {_("The account is disabled."): disabled.count()}
    retired = whom.devices_meant(campaign).filter(health=Health.RETIRED)
    return {_("The device is retired."): retired.count()}


def _waiting(campaign: Campaign) -> set[tuple[int | None, int | None]]:
    unfinished = Run.objects.unfinished().filter(script=campaign.script)
    return set(unfinished.values_list("account_id", "device_id"))


def _name(target: Target) -> str:
    account, device = target
    return f"{account} → {device}" if account else str(device)


def outlook(campaign: Campaign, chosen: list[Target]) -> Outlook:
    """One run starts on each phone that is free and has none in hand; the others wait for their phone."""
    per_device = Counter(target[1].pk for target in chosen if target[1])
    devices = Device.objects.filter(pk__in=per_device).select_related("host")
    why, now, waiting = Why(), 0, Counter[str]()
    for device in devices:
        trouble = _("Its phone has another run in hand.") if device.pk in why.in_hand else why.trouble(device)
        now += not trouble
        waiting[trouble or _("Another of its runs goes first on its phone.")] += per_device[device.pk] - (
            not trouble
        )
    most = [(sentence, count) for sentence, count in waiting.most_common() if count]
    rest = sum(count for _sentence, count in most[REASONS_SHOWN:])
    return Outlook(
        now, most[:REASONS_SHOWN] + ([(_("Other phones that cannot work now."), rest)] if rest else [])
    )
