"""Changes of a campaign's state, each with an event that says who and why."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from automation.choices import STANDING, CampaignState, OccurrenceState
from automation.controller.cancels import cancel
from automation.models import Campaign, CampaignEvent, Occurrence, Run
from automation.services import InvalidTransition

ACTIVE, PAUSED, HELD, STOPPED = (
    CampaignState.ACTIVE, CampaignState.PAUSED, CampaignState.HELD, CampaignState.STOPPED,
)  # fmt: skip


def pause(campaign: Campaign, actor: str) -> None:
    """Nothing new starts: what waits goes on waiting and its time stands still, what runs ends by itself."""
    change(campaign, (ACTIVE,), PAUSED, actor)


def resume(campaign: Campaign, actor: str) -> None:
    """Active again. What was due until now is nobody's."""
    with transaction.atomic():
        change(campaign, (PAUSED, STOPPED), ACTIVE, actor)
        Campaign.objects.filter(pk=campaign.pk).update(checked_at=timezone.now())


def stop(campaign: Campaign, actor: str) -> int:
    """End what waits, ask what runs to end; returns how many runs that were. Raises RunsMayStart as `cancel` does."""
    with transaction.atomic():
        change(campaign, (ACTIVE, PAUSED, HELD), STOPPED, actor)
        campaign.occurrences.open().update(
            state=OccurrenceState.STOPPED, reason="stopped", ended_at=timezone.now()
        )
    return end_runs(campaign, actor)


def end_runs(campaign: Campaign, actor: str) -> int:
    """Cancel all of the campaign's runs that are not over."""
    return cancel(Run.objects.unfinished().filter(campaign=campaign).select_related("host"), actor)


def hold(occurrence: Occurrence, reason: str) -> None:
    """The campaign waits for a person, because of this occurrence."""
    with transaction.atomic():
        change(occurrence.campaign, (ACTIVE,), HELD, "", reason)
        occurrence.state, occurrence.reason = OccurrenceState.HELD, reason
        occurrence.save(update_fields=["state", "reason"])


def change(campaign: Campaign, old: Iterable[str], new: CampaignState, actor: str, reason: str = "") -> None:
    """From one of the `old` states to the new one, also in the campaign at hand."""
    with transaction.atomic():
        now = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if now.state not in old:
            raise InvalidTransition(f"campaign {campaign} is {now.state}: it cannot become {new}")
        if now.state in STANDING and new == ACTIVE:
            _give_back_time(now)
        Campaign.objects.filter(pk=campaign.pk).update(state=new, state_reason=reason)
        CampaignEvent.objects.create(campaign=campaign, old=now.state, new=new, reason=reason, actor=actor)
    campaign.state, campaign.state_reason = new, reason


def _give_back_time(campaign: Campaign) -> None:
    """What waited while the campaign stood may start as much later as it stood."""
    stood_since = campaign.events.values_list("at", flat=True).first()
    if stood_since is not None:
        waiting = Run.objects.pending().filter(campaign=campaign)
        waiting.update(start_by=F("start_by") + (timezone.now() - stood_since))
