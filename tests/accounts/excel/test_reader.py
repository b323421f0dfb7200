"""The child that reads a file; what becomes of which file stands in test_corpus.py."""

from __future__ import annotations

import marshal
import subprocess
import sys

import pytest

from accounts.excel import reader
from accounts.excel.reader import Refused, read_sheet
from tests.accounts.excel.raw import sheet_xml, text_row, workbook
from tests.accounts.excel.sheets import make_xlsx, table


def test_a_part_that_unpacks_to_far_more_than_it_is_packed_to_is_refused(monkeypatch):
    monkeypatch.setattr(reader.subprocess, "run", lambda *_a, **_k: pytest.fail("it reached the child"))
    sheet = workbook(sheet_xml(" " * 5_000_000))
    with pytest.raises(Refused, match="too_big"):
        read_sheet(sheet)


def test_a_merged_header_names_its_first_column():
    xml = sheet_xml(text_row(1, "username"), text_row(2, "ann", "left out"), merges=["A1:B1"])
    sheet = read_sheet(workbook(xml))
    assert (sheet.headers, sheet.rows[0][1]) == (["username", ""], ["ann", "left out"])


def test_an_export_is_far_from_the_limit_of_packing():
    """A list in which every row is alike packs best."""
    rows = [["username", *["same"] * 17] for _n in range(20_000)]
    assert len(read_sheet(make_xlsx([f"c{n}" for n in range(18)], *rows)).rows) == 20_000


def test_the_child_has_no_environment_and_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "not for the child")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen = {}
    real = reader.subprocess.run

    def spy(*args, **kwargs):
        seen.update(kwargs)
        return real(*args, **kwargs)

    monkeypatch.setattr(reader.subprocess, "run", spy)
    read_sheet(table("username", ["ann"]))
    assert "SECRET_KEY" not in seen["env"]
    assert not list(tmp_path.iterdir())


def test_a_child_that_dies_is_a_refusal(monkeypatch):
    monkeypatch.setattr(reader.sys, "executable", "/bin/false")
    with pytest.raises(Refused, match="unreadable"):
        read_sheet(table("username", ["ann"]))


def test_the_child_has_little_memory_and_little_time():
    program = (
        "import resource; from accounts.excel import reader;"
        "names = ['RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_CORE'];"
        "reader._answer = lambda _data: [resource.getrlimit(getattr(resource, name))[0] for name in names];"
        "reader.main()"
    )
    child = subprocess.run([sys.executable, "-c", program], input=b"", capture_output=True, check=True)
    assert marshal.loads(child.stdout) == [reader.MEMORY_BYTES, reader.CPU_SECONDS, 0]
