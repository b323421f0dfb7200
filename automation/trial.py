"""A dry run of a label: what it would change, on every fixture and on the evidence that waits. Writes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from accounts.choices import app_of_package
from automation.labels import Label, own_fixtures
from automation.models import Attention, Evidence
from automation.querysets import AttentionQuerySet
from automation.screens.recognise import SCREEN, Verdict, recognise
from automation.screens.schema import Library, files_in, library, own_folder, with_own
from automation.screens.structure import structure
from automation.screens.written import FIXTURES
from devices.simulator.gallery import gallery

WAITING, OTHERS = 300, 150  #: pieces of evidence that are looked at, the newest


@dataclass
class Trial:
    """What would come of it."""

    screen: str
    faults: list[str] = field(default_factory=list)  #: `file:line: what`
    looked_at: int = 0  #: fixtures and evidence of known screens
    changed: list[tuple[str, str, str]] = field(default_factory=list)  #: (which, before, after)
    waiting: int = 0  #: runs that stopped at this very screen
    matching: int = 0  #: those of them that it recognises now
    rows: list[Attention] = field(default_factory=list)  #: all that wait and are recognised now

    @property
    def is_good(self) -> bool:
        """Whether it may be written."""
        return bool(not self.faults and not self.changed and self.matching)


def try_out(label: Label, text: str) -> Trial:
    """The same dumps by the screens as they are and as they would be."""
    now, trial = library(), Trial(label.screen)
    with tempfile.TemporaryDirectory() as place:
        then = _with(label.file, text, Path(place))
    trial.faults = [fault for fault in then.faults if fault.startswith(f"{label.file}:")]
    if not trial.faults:
        _look_at_known(trial, label, now, then)
        _look_at_waiting(trial, label, now, then)
    return trial


def _with(name: str, text: str, place: Path) -> Library:
    own = own_folder()
    for path in files_in(own) if own else []:
        shutil.copy(path, place / path.name)
    (place / name).write_text(text, "utf-8")
    return with_own(place)


def _look_at_known(trial: Trial, label: Label, now: Library, then: Library) -> None:
    """A known screen stays what it is. What was unknown may become this one: in older evidence, and in fixtures that
    are built like it.
    """
    fixtures = [*gallery(), *((name, xml) for name, _screen, xml in FIXTURES), *own_fixtures(but=label)]
    evidence = list(_evidence())
    trial.looked_at = len(fixtures) + len(evidence)
    for name, xml in [*fixtures, *evidence]:
        before, after = recognise(xml, screens=now), recognise(xml, screens=then)
        if _says(before) == _says(after):
            continue
        is_gain = before.status != SCREEN and after.screen == trial.screen
        if not (is_gain and ((name, xml) in evidence or _is_built_like(xml, label))):
            trial.changed.append((name, _says(before), _says(after)))


def _is_built_like(xml: str, label: Label) -> bool:
    seen = structure(xml)
    return seen is not None and seen.fingerprint == label.fingerprint


def _says(verdict: Verdict) -> str:
    return verdict.screen or verdict.status


def _evidence() -> Iterator[tuple[str, str]]:
    """Of runs that did not stop at an unknown screen."""
    rows = Evidence.objects.exclude(dump="").exclude(run__attention__in=_parked().values("pk"))
    for run, xml in rows.order_by("-run").values_list("run", "dump")[:OTHERS]:
        yield f"№ {run}", xml


def _parked() -> AttentionQuerySet:
    return Attention.objects.open().exclude(fingerprint="")


def _look_at_waiting(trial: Trial, label: Label, now: Library, then: Library) -> None:
    rows = _parked().exclude(run__evidence__dump="").select_related("run__evidence", "account")
    for row in rows.defer("run__evidence__screenshot")[:WAITING]:
        app = app_of_package(row.package)
        before = recognise(row.run.evidence.dump, row.package, app, screens=now)
        after = recognise(row.run.evidence.dump, row.package, app, screens=then)
        is_same = row.fingerprint == label.fingerprint
        trial.waiting += is_same
        if after.status == SCREEN and after.screen == trial.screen and before.screen != after.screen:
            trial.rows.append(row)
            trial.matching += is_same
        elif _says(before) != _says(after):
            trial.changed.append((f"№ {row.run_id}", _says(before), _says(after)))
