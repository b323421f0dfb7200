"""What a run tells of the screens it saw: every alternative that worked, once, and never too much."""

from __future__ import annotations

import json
from typing import Any

import pytest

from automation.screens import sightings as module
from automation.screens.recognise import recognise
from automation.screens.sightings import Sightings, Versions
from devices.phones.errors import AppMissing
from tests.automation.dumps import IG, drawn, dump, node

DUTCH = dump(node("Button", text="Ik heb al een account", clickable=True))


class Phone:
    """A phone with one app on it."""

    serial = "P1"

    def __init__(self, version: str = "410.0") -> None:
        self.version, self.asked = version, 0

    def app_version(self, package: str) -> str:
        self.asked += 1
        if package != IG:
            raise AppMissing
        return self.version


def opened(phone: Any = None, package: str = IG) -> Sightings:
    made = Sightings()
    made.opened(phone or Phone(), package)
    return made


def test_each_screen_is_told_with_its_alternatives_and_the_apps_version() -> None:
    seen = opened()
    for _ in range(3):
        verdict = seen.saw(recognise(drawn("instagram", "landing")))
        assert verdict.find("log_in")
        seen.used(verdict, "log_in")
    ((app, screen, version, alternatives),) = seen.report()["seen"]

    assert (app, screen, version) == ("instagram", "ig.landing", "410.0")
    assert alternatives[0] == ""
    assert set(alternatives) == {"", *verdict.matched, f"log_in.{verdict.used['log_in']}"}


def test_android_has_not_the_version_of_the_app() -> None:
    seen = opened()
    seen.saw(recognise(dump(node("Button", package="android", id="aerr_wait"), node(text="x")), IG))

    assert seen.report()["seen"] == [["android", "os.anr", "", ["", "any.0"]]]


def test_what_is_no_screen_is_not_told() -> None:
    seen = opened()
    for xml in ("", dump(node(text="what is this"))):
        seen.saw(recognise(xml, IG))

    assert seen.report()["seen"] == []


def test_unconfirmed_words_are_kept_once_whether_seen_or_tapped() -> None:
    seen = opened()
    verdict = seen.saw(recognise(DUTCH))
    verdict.find("log_in")
    seen.used(verdict, "log_in")

    assert seen.unconfirmed == ["nl have_account: ik heb al een account"]


def test_a_report_stays_small_whatever_a_run_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NAME", 80)
    seen = Sightings()
    verdict = recognise(drawn("instagram", "landing"))
    for number in range(2000):
        seen.version = f"{number}." * 100
        seen.saw(verdict)

    assert len(json.dumps(seen.report())) < 40_000
    assert all(len(version) <= 80 for _app, _screen, version, _alternatives in seen.report()["seen"])


def test_the_version_is_asked_for_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    phone, versions = Phone(), Versions()
    assert [versions.of(phone, IG) for _ in range(3)] == ["410.0"] * 3
    assert phone.asked == 1

    phone.version = "411.0"
    monkeypatch.setattr(module, "VERSION_SECONDS", -1)
    assert versions.of(phone, IG) == "411.0"


def test_an_app_that_is_missing_has_no_version_and_is_asked_for_again() -> None:
    phone, versions = Phone(), Versions()

    assert [versions.of(phone, "org.gone") for _ in range(2)] == ["", ""]
    assert phone.asked == 2
