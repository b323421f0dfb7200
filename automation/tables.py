"""The lists of runs and of campaigns as files."""

from __future__ import annotations

from automation.console.campaign_page import reason_sentence, schedule_text
from automation.console.reasons import sentence
from automation.models import Campaign, Run
from devices.sheets.formats import TableResource


class RunResource(TableResource):
    """Each run with its account, and how it ended: outcome, reason, and the reason in words."""

    related = ("account", "device", "host", "campaign")
    columns = {
        "run": lambda run: run.pk,
        "script": lambda run: run.script,
        "app": lambda run: run.account.app if run.account else "",
        "username": lambda run: run.account.username if run.account else "",
        "device": lambda run: run.device.serial if run.device else "",
        "device_index": lambda run: (run.device.label or "") if run.device else "",
        "host": lambda run: run.host.name if run.host else "",
        "campaign": lambda run: run.campaign.name if run.campaign else "",
        "state": lambda run: run.state,
        "outcome": lambda run: run.outcome,
        "reason": lambda run: run.reason,
        "why": lambda run: sentence(run.reason) if run.reason else "",
        "message": lambda run: run.message,
        "attempt": lambda run: run.attempt,
        "requested_by": lambda run: run.requested_by,
        "created": lambda run: run.created_at,
        "started": lambda run: run.started_at,
        "finished": lambda run: run.finished_at,
        "seconds": lambda run: None if run.seconds is None else round(run.seconds, 1),
    }

    class Meta:
        model = Run
        fields = ()


class CampaignResource(TableResource):
    columns = {
        "campaign": lambda campaign: campaign.pk,
        "name": lambda campaign: campaign.name,
        "script": lambda campaign: campaign.script,
        "app": lambda campaign: campaign.app,
        "tags": lambda campaign: campaign.tags,
        "schedule": schedule_text,
        "time_zone": lambda campaign: campaign.time_zone,
        "missed": lambda campaign: campaign.missed,
        "overlap": lambda campaign: campaign.overlap,
        "state": lambda campaign: campaign.state,
        "why": lambda campaign: reason_sentence(campaign.state_reason),
        "priority": lambda campaign: campaign.priority,
        "at_most": lambda campaign: campaign.at_most,
        "per_device_day": lambda campaign: campaign.per_device_day,
        "active_from": lambda campaign: str(campaign.active_from or ""),
        "active_until": lambda campaign: str(campaign.active_until or ""),
    }

    class Meta:
        model = Campaign
        fields = ()
