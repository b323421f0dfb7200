"""What the page of an account shows of its profile figures over time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import charts
from accounts.choices import App
from accounts.models import Account

SPANS, USUAL = (30, 90, 365), 90


def figures_of(account: Account, days: str) -> dict[str, Any]:
    """The context of console/figures.html; nothing for an app that has no figures."""
    if account.app != App.TIKTOK:
        return {}
    span = int(days) if days in map(str, SPANS) else USUAL
    since = timezone.localdate() - timedelta(days=span)
    rows = list(account.figures.filter(day__gt=since).order_by("day"))
    return {
        "has_figures": True,
        "any_figures": bool(rows) or account.figures.exists(),
        "charts": charts.charts(rows),
        "labels": charts.labels(),
        "table": charts.table(rows),
        "span": span,
        "spans": [(one, _("%(n)s days") % {"n": one}) for one in SPANS],
    }
