"""What matches found, phone by phone and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import matching
from accounts.choices import App
from accounts.matching import Kind, Matched, Seen
from automation import matches
from automation.console.reasons import sentence
from automation.models import Campaign, Run
from devices.admin.kit import BUSY, GOOD, PLAIN, WARN, when

PHONES = 50  #: on one page
UNREADABLE = "unreadable"
LOOKS: dict[str, str] = {
    Kind.NEW: BUSY, Kind.MOVED: WARN, Kind.MISSING: WARN, Kind.KNOWN: GOOD, UNREADABLE: PLAIN,
}  # fmt: skip
LABELS: dict[str, Any] = {**dict(Kind.choices), UNREADABLE: gettext_lazy("unreadable")}
APPS: dict[str, str] = dict(App.choices)


@dataclass(frozen=True)
class KindCount:
    """How many accounts (of unreadable: apps) are so."""

    kind: str
    label: str
    look: str
    count: int


@dataclass(frozen=True)
class Line:
    """One account, or one app that could not be read."""

    kind: str
    label: str
    look: str
    name: str
    app: str
    more: str  #: the device before, or the reason
    is_open: bool = False  #: it could be put into the list


@dataclass(frozen=True)
class PhoneMatch:
    """One match of one phone."""

    run: Run
    when: str
    counts: list[KindCount]
    lines: list[Line]
    to_add: int = field(default=0)

    @property
    def notable(self) -> list[Line]:
        """What somebody may want to look at."""
        return [line for line in self.lines if line.kind != Kind.KNOWN]

    @property
    def known(self) -> list[Line]:
        return [line for line in self.lines if line.kind == Kind.KNOWN]


def match_page(request: HttpRequest) -> dict[str, Any]:
    """The context of the page: of one campaign's last start, or of every phone the last match."""
    campaign = _campaign(request.GET.get("campaign", ""))
    runs = matches.of_campaign(campaign.pk) if campaign else matches.newest()
    found = phone_matches(runs.defer("message", "options"))
    found.sort(key=_place)
    page = Paginator(found, PHONES).get_page(request.GET.get("page"))
    return {
        "campaign": campaign,
        "campaigns": Campaign.objects.filter(script="match"),
        "phones": len(found),
        "totals": totals(found),
        "page": page,
        "notable": [one for one in page if one.notable],
        "quiet": [one for one in page if not one.notable],
        "may_add": may_add(request),
        "to_add": sum(one.to_add for one in found),
        "runs_to_add": [one.run.pk for one in found if one.to_add],
    }


def may_add(request: HttpRequest) -> bool:
    return request.user.has_perm("accounts.add_account")


def _campaign(number: str) -> Campaign | None:
    return Campaign.objects.filter(pk=int(number), script="match").first() if number.isdigit() else None


def _place(one: PhoneMatch) -> tuple[bool, str, int, str]:
    """First those at which somebody should look; 2 before 10."""
    device = one.run.device
    label = (device.label or device.serial) if device else ""
    return not one.notable, str(device.host if device else ""), len(label), label


def phone_matches(runs: Iterable[Run]) -> list[PhoneMatch]:
    """One for each match, in their order; one question for all of them."""
    shown = list(runs)
    wanted = [one for run in shown for one in matches.seen(run.result)]
    unknown = {one.key for one in matching.unknown(wanted)}
    return [_phone_match(run, unknown) for run in shown]


def _phone_match(run: Run, unknown: set[tuple[str, str]]) -> PhoneMatch:
    here = matching.in_words(run.device) if run.device else ""
    lines = [_line(one, here, unknown) for one in matches.matched(run)]
    lines += [_unreadable(**one) for one in matches.unreadable(run.result)]
    return PhoneMatch(run, when(run.finished_at), counts(lines), lines, sum(one.is_open for one in lines))


def _unreadable(app: str, package: str, reason: str) -> Line:
    label, look = str(LABELS[UNREADABLE]), LOOKS[UNREADABLE]
    return Line(UNREADABLE, label, look, name=package, app=_app(app), more=sentence(reason))


def _line(one: Matched, here: str, unknown: set[tuple[str, str]]) -> Line:
    is_open = Seen(one.app, one.package, one.username).key in unknown
    return Line(
        kind=one.kind, label=str(LABELS[one.kind]), look=LOOKS[one.kind], name=f"@{one.username}",
        app=_app(one.app), more=_more(one, here, is_open), is_open=is_open and one.kind == Kind.NEW,
    )  # fmt: skip


def _more(one: Matched, here: str, is_open: bool) -> str:
    if one.kind == Kind.MOVED:
        return _("from %(device)s to %(here)s") % {"device": one.was, "here": here}
    if one.kind == Kind.MISSING:
        return _("the list had it signed in here; the phone does not")
    if one.kind == Kind.NEW:
        return _("not in the list") if is_open else _("in the list by now")
    return ""


def _app(name: str) -> str:
    return APPS.get(name, name)


def counts(lines: Iterable[Line]) -> list[KindCount]:
    """In the order of LABELS; what did not happen is left out."""
    numbers = Counter(line.kind for line in lines)
    return _counts(numbers)


def _counts(numbers: Counter[str]) -> list[KindCount]:
    return [
        KindCount(kind, str(label), LOOKS[kind], numbers[kind])
        for kind, label in LABELS.items()
        if numbers[kind]
    ]


def totals(found: Iterable[PhoneMatch]) -> list[KindCount]:
    """Over many phones."""
    numbers: Counter[str] = Counter()
    for one in found:
        numbers.update({count.kind: count.count for count in one.counts})
    return _counts(numbers)


def totals_of(results: Iterable[dict[str, Any]]) -> list[KindCount]:
    """The same, straight from what the runs keep."""
    numbers: Counter[str] = Counter()
    for result in results:
        numbers.update(one["kind"] for one in result.get("matched", []))
        numbers[UNREADABLE] += len(result.get("unreadable", []))
    return _counts(numbers)


def match_of(request: HttpRequest, run: Run | None) -> dict[str, Any]:
    """The part that shows one match; nothing where none looked. Only the last match of a phone offers to add."""
    if run is None or run.script != "match" or "matched" not in run.result:
        return {}
    last = matches.newest_on(run.device_id) if run.device_id else None
    is_last = last is not None and last.pk == run.pk
    (shown,) = phone_matches([run])
    return {"match": shown, "may_add": may_add(request) and is_last}
