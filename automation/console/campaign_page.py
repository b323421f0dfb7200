"""What the page of one campaign shows below its form: where it stands, its last starts, who did what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automation import campaigns, matches
from automation.choices import OCCURRENCE_REASONS, CampaignState, OccurrenceState
from automation.console.figures import Tally, tallies
from automation.console.looks import told_options
from automation.console.match_page import KindCount, totals_of
from automation.models import Campaign, CampaignEvent, Occurrence, Run
from devices.admin.kit import BAD, BUSY, GOOD, PLAIN, WARN, pill

LAST_STARTS, NEXT_STARTS, LAST_EVENTS = 20, 3, 10

LOOKS: dict[str, str] = {
    CampaignState.ACTIVE: GOOD,
    CampaignState.PAUSED: PLAIN,
    CampaignState.HELD: WARN,
    CampaignState.STOPPED: BAD,
}
STARTS: dict[str, str] = {
    OccurrenceState.STARTED: BUSY,
    OccurrenceState.QUEUED: PLAIN,
    OccurrenceState.HELD: WARN,
    OccurrenceState.SKIPPED: PLAIN,
    OccurrenceState.STOPPED: PLAIN,
    OccurrenceState.OVER: PLAIN,
}


@dataclass(frozen=True)
class Start:
    """One line of the table of starts."""

    occurrence: Occurrence
    due: str
    pill: SafeString
    why: str
    stage: str
    runs: list[Tally]
    unfinished: int


@dataclass(frozen=True)
class Change:
    """One line of who did what."""

    event: CampaignEvent
    pill: SafeString
    why: str


def campaign_page(campaign: Campaign | None) -> dict[str, Any]:
    """The context of the part below the form; nothing for a campaign that does not exist."""
    if campaign is None:
        return {}
    return {
        "pill": campaign_pill(campaign),
        "why": reason_sentence(campaign.state_reason),
        "schedule": schedule_text(campaign),
        "matched": _matched(campaign),
        "options": told_options(campaign.script, campaign.options),
        "next_starts": [_local(campaign, at) for at in campaigns.next_starts(campaign, NEXT_STARTS)],
        "starts": last_starts(campaign),
        "changes": [
            Change(event, _state_pill(event.new, event.get_new_display()), reason_sentence(event.reason))
            for event in campaign.events.all()[:LAST_EVENTS]
        ],
    }


def _matched(campaign: Campaign) -> list[KindCount]:
    """Of a match: how many accounts its last start found new, moved, missing and known."""
    if campaign.script != "match":
        return []
    return totals_of(matches.of_campaign(campaign.pk).values_list("result", flat=True))


def last_starts(campaign: Campaign) -> list[Start]:
    """The newest first, with the counts of their runs, of retried ones the last attempt only."""
    found = list(campaign.occurrences.all()[:LAST_STARTS])
    counts: dict[int | None, dict[str, int]] = {}
    runs = Run.objects.filter(occurrence__in=found, retry=None).values_list("occurrence", "outcome")
    for occurrence, outcome, count in runs.annotate(n=Count("pk")).order_by():
        counts.setdefault(occurrence, {})[outcome] = count
    return [_start(campaign, one, counts.get(one.pk, {})) for one in found]


def _start(campaign: Campaign, one: Occurrence, counts: dict[str, int]) -> Start:
    look = pill(one.get_state_display(), STARTS[one.state])
    why = reason_sentence(one.reason)
    if one.starts > 1:
        more = ngettext("%(n)s start up to then.", "%(n)s starts up to then.", one.starts) % {"n": one.starts}
        why = f"{more} {why}"
    return Start(
        one, _local(campaign, one.due_at), look, why, _stage(one), tallies(counts), counts.get("", 0)
    )


def _stage(one: Occurrence) -> str:
    """Where a start that is tried on a few first has come to."""
    if not 0 < one.stage < campaigns.LAST_STAGE:
        return ""
    return _("trial %(n)s of %(of)s") % {"n": one.stage, "of": len(campaigns.TRIAL)}


def schedule_text(campaign: Campaign) -> str:
    """The cron line or the interval; empty for one started by hand."""
    if not campaign.every_minutes:
        return campaign.cron
    text = ngettext("every minute", "every %(n)s minutes", campaign.every_minutes)
    return text % {"n": campaign.every_minutes}


def campaign_pill(campaign: Campaign) -> SafeString:
    """Its state; the reason as the title."""
    return _state_pill(campaign.state, campaign.get_state_display(), reason_sentence(campaign.state_reason))


def _state_pill(state: str, text: str, title: str = "") -> SafeString:
    return pill(text, LOOKS[state], title)


def reason_sentence(code: str) -> str:
    return str(OCCURRENCE_REASONS[code]) if code in OCCURRENCE_REASONS else code


def _local(campaign: Campaign, at: datetime) -> str:
    """In the campaign's own zone."""
    return f"{at.astimezone(ZoneInfo(campaign.time_zone)):%Y-%m-%d %H:%M}"
