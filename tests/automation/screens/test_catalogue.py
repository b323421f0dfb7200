"""Every screen of the catalogue is recognised as itself and as no other, and stays so when its texts or ids change."""

from __future__ import annotations

from collections import Counter

import pytest

from automation.screens.recognise import SCREEN, Verdict, recognise
from automation.screens.schema import load
from automation.screens.written import FIXTURES, WRITTEN
from tests.automation.dumps import drawn, screens_of
from tests.automation.screens.catalogue import CATALOGUE
from tests.automation.screens.test_simulated_screens import NAMES, PREFIX

NO_SCREENS = ("unreadable:", "no screen:")
DEFINED = {screen.id for app in load().values() for screen in app.screens}


def seen(verdict: Verdict) -> str:
    return verdict.screen or f"{verdict.status}: {verdict.detail}"


def test_the_catalogue_has_66_rows_and_each_is_a_screen_that_is_defined() -> None:
    named = {one for ids in CATALOGUE.values() for one in ids if not one.startswith(NO_SCREENS)}

    assert len(CATALOGUE) == 66
    assert named <= DEFINED


def test_every_screen_that_is_defined_has_a_dump_written_by_hand() -> None:
    assert WRITTEN.keys() >= DEFINED


@pytest.mark.parametrize(("name", "screen", "xml"), FIXTURES, ids=[name for name, _, _ in FIXTURES])
def test_a_written_screen_is_recognised(name: str, screen: str, xml: str) -> None:
    assert seen(recognise(xml)) == screen


def test_no_screen_is_taken_for_another() -> None:
    """The confusion matrix over all dumps, written and drawn: nothing beside its diagonal."""
    dumps = [(screen, xml) for _, screen, xml in FIXTURES]
    for app, prefix in PREFIX.items():
        for screen in screens_of(app):
            expected = NAMES[app].get(screen, prefix + screen)
            dumps += [(expected, drawn(app, screen, language)) for language in ("en", "fr") if expected]
    matrix = Counter((screen, seen(recognise(xml))) for screen, xml in dumps)

    assert [pair for pair in matrix if pair[0] != pair[1]] == []
    assert len({screen for screen, _ in matrix}) >= 80


@pytest.mark.parametrize(("name", "screen", "xml"), FIXTURES, ids=[name for name, _, _ in FIXTURES])
def test_a_screen_for_a_person_or_an_error_can_be_tapped_nowhere(name: str, screen: str, xml: str) -> None:
    verdict = recognise(xml)
    if verdict.kind in ("human", "error"):
        assert verdict.status == SCREEN
        assert verdict.definition is not None
        assert verdict.definition.actions == {}
        assert verdict.reason
