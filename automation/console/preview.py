"""What would come of a campaign if it started now; nothing is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automation import targets as whom
from automation.campaigns import TRIAL
from automation.choices import OverlapPolicy
from automation.controller import dispatch
from automation.models import Campaign, Run
from automation.services import Target, keys
from devices.choices import Health

NAMED = 50  #: who is in it, by name
REASONS_SHOWN = 12
#: Reasons that are told without the phone: nearly every phone has runs that wait for them.
SHORT = {
    "behind": gettext_lazy("Another run goes first on its phone."),
    "device_busy": gettext_lazy("Its phone has a run in hand."),
}


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
    """By the function that decides what starts, so that the two cannot disagree."""
    plan = dispatch.preview(campaign, chosen)
    counts = Counter(SHORT.get(reason.code) or str(reason) for reason in plan.waiting.values())
    most = [(str(sentence), count) for sentence, count in counts.most_common()]
    rest = sum(count for _sentence, count in most[REASONS_SHOWN:])
    more = [(_("Others, on phones that cannot work now."), rest)] if rest else []
    return Outlook(len(plan.offers), most[:REASONS_SHOWN] + more)
