"""What the pages of unknown screens show: who stopped at which, and how it is built."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from accounts.choices import App, app_of_package
from automation.models import Attention
from automation.screens.dump import Dump, Unreadable, parse

SHOWN = 60  #: screens on the page


@dataclass(frozen=True)
class Screen:
    """All that stopped at screens that are built alike."""

    fingerprint: str
    app: str  #: as people call it
    package: str
    phones: int
    accounts: int
    newest: datetime
    run: int  #: the newest run, with its picture
    versions: list[str]


def screens(fingerprint: str = "") -> list[Screen]:
    """Those with the most phones first, or the one; two queries, however many there are."""
    stopped = Attention.objects.open().exclude(fingerprint="")
    stopped = stopped.filter(fingerprint=fingerprint) if fingerprint else stopped
    by_screen = stopped.values("fingerprint", "package").annotate(
        phones=Count("device", distinct=True), accounts=Count("pk"), newest=Max("since"), run=Max("run_id")
    )
    found: list[dict[str, Any]] = list(by_screen.order_by("-phones", "-newest")[:SHOWN])
    versions = defaultdict(list)
    named = stopped.filter(fingerprint__in=[one["fingerprint"] for one in found]).exclude(app_version="")
    for fingerprint, version in (
        named.values_list("fingerprint", "app_version").distinct().order_by("app_version")
    ):
        versions[fingerprint].append(version)
    return [
        Screen(**one, app=app_name(one["package"]), versions=versions[one["fingerprint"]]) for one in found
    ]


def kinds() -> int:
    """How many screens there are at which a phone waits."""
    return (
        Attention.objects.open().exclude(fingerprint="").values("fingerprint").distinct().order_by().count()
    )


def app_name(package: str) -> str:
    """What people call the app of a package; the package itself where it is none of ours."""
    return str(dict(App.choices).get(app_of_package(package), package))


@dataclass(frozen=True)
class Stopped:
    """A run that stopped at a screen, and what its phone showed."""

    row: Attention
    xml: str
    dump: Dump

    @property
    def size(self) -> tuple[int, int]:
        """Of the screen, in the pixels of the dump."""
        return (
            max((node.bounds[2] for node in self.dump.nodes), default=1) or 1,
            max((node.bounds[3] for node in self.dump.nodes), default=1) or 1,
        )


def newest(fingerprint: str, run: str = "") -> Stopped | None:
    """The newest that waits at the screen, or that of the run; None when none with a dump is left."""
    rows = Attention.objects.open().filter(fingerprint=fingerprint).exclude(run__evidence__dump="")
    rows = rows.filter(run=int(run)) if run.isdigit() else rows
    row = rows.select_related("run__evidence").defer("run__evidence__screenshot").first()
    if row is None:
        return None
    try:
        return Stopped(row, row.run.evidence.dump, parse(row.run.evidence.dump))
    except Unreadable:
        return None
