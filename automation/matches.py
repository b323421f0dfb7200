"""What matches found: read from the results of their runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from accounts import matching
from accounts.choices import App
from accounts.matching import Kind, Matched, Seen
from accounts.models import Account
from automation.models import Run
from devices.models import Device

UNREADABLE = ("app", "package", "reason")


def seen(result: dict[str, Any]) -> list[Seen]:
    """The accounts that a match found on its phone, of the apps that are known here."""
    read = (
        one
        for found in result.get("found", [])
        for one in matching.seen_in(found["app"], found["package"], found["usernames"])
    )
    return [one for one in read if one.app in App.values]


def unreadable(result: dict[str, Any]) -> list[dict[str, str]]:
    """The app, the package and the reason of each that a match could not read."""
    return [{name: str(one[name]) for name in UNREADABLE} for one in result.get("unreadable", [])]


def concerned(runs: Sequence[Run]) -> list[int]:
    """The accounts that the list may change by these matches: those found, and those signed in on the phones."""
    names = {one.username for run in runs for one in seen(run.result)}
    here = Account.objects.logged_in().filter(device__in=[run.device_id for run in runs if run.device_id])
    known = [*Account.objects.named_any(names).values_list("pk", flat=True)] if names else []
    return [*known, *here.values_list("pk", flat=True)] if runs else known


def matched(run: Run) -> list[Matched]:
    """What the match said of each account at the time."""
    return [Matched(**one) for one in run.result.get("matched", [])]


def newest() -> QuerySet[Run]:
    """Of each device the last match that looked at it, with device and host."""
    return _with_device(Run.objects.filter(pk__in=_newest_of(Device.objects.all())))


def newest_on(device: Device | int) -> Run | None:
    """The last match that looked at this device."""
    return _with_device(_looked().filter(device=device)).order_by("-started_at").first()


def of_campaign(campaign: int) -> QuerySet[Run]:
    """The matches of the last start of a campaign; without starts none."""
    started = (
        _looked().filter(campaign=campaign).exclude(occurrence=None)
    )  # not what somebody ran again by hand
    last = started.order_by("-id").values("occurrence")[:1]
    return _with_device(_looked().filter(campaign=campaign, occurrence__in=last))


def _looked() -> QuerySet[Run]:
    found: QuerySet[Run] = Run.objects.finished().filter(script="match", result__has_key="matched")
    return found.exclude(device=None)


def _newest_of(devices: QuerySet[Device]) -> QuerySet[Any]:
    last = _looked().filter(device=OuterRef("pk")).order_by("-started_at").values("pk")[:1]
    return devices.annotate(last_match=Subquery(last)).values("last_match")


def _with_device(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.select_related("device__host")


def to_add(run: Run) -> list[Seen]:
    """The accounts that the match found and that the list does not know now."""
    return matching.unknown(seen(run.result))


def add_found(runs: Iterable[Run]) -> list[Account]:
    """Put into the list what these matches found and it does not know; only what the last match of a phone found."""
    added = []
    for run in runs:
        last = newest_on(run.device_id or 0)
        if last is not None and last.pk == run.pk and run.device is not None:
            added += matching.add(run.device, seen(run.result), run.finished_at or run.created_at)
    return added


__all__ = ["Kind", "add_found", "matched", "newest", "newest_on", "of_campaign", "seen", "to_add"]
