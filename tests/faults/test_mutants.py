"""The mutants still fit the code, and some of them are tried; `./run mutants` tries all."""

from __future__ import annotations

import pytest

from tests.faults.mutants import ROOT, AnchorMoved, edited, main
from tests.faults.mutants_list import MUTANTS, Edit, Mutant

QUICK = ["fence-ignored-on-report", "attempt-counted-after-the-run", "sweep-by-age", "sweep-without-fence"]


def test_there_are_sixteen_and_each_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) == 16


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_replaces_is_there_exactly_once(mutant: Mutant) -> None:
    for file, text in edited(mutant, ROOT).items():
        compile(text, file, "exec")


def test_a_mutant_whose_anchor_moved_says_so() -> None:
    moved = Mutant("moved", "", (Edit("manage.py", "this stands nowhere", ""),), ())
    with pytest.raises(AnchorMoved, match="occurs 0 times in manage"):
        edited(moved, ROOT)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_mutants_are_caught_and_the_unchanged_product_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--no-machine", "--only", *QUICK])
    told = capsys.readouterr().out
    assert code == 0, told
    assert all(name in told for name in QUICK)
