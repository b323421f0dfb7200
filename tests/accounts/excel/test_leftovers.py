"""Nothing of an upload or an export stays anywhere in clear: after use, after nobody confirmed, after a crash."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from accounts.excel import uploads
from automation.controller.loop import Controller
from devices.sheets.sealed import SealedZip
from devices.sheets.writer import write_sheet
from tests.accounts.excel.sheets import table
from tests.accounts.excel.test_pages import EXPORT, confirm, upload
from tests.factories import make_account

pytestmark = pytest.mark.django_db

CANARY = "canary-Pass-7"
WRITES = os.O_WRONLY | os.O_RDWR
opened: list[str] | None = None  #: files opened for writing while it is a list


def _watch(event: str, arguments: tuple) -> None:
    if opened is not None and event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        opened.append(str(arguments[0]))


sys.addaudithook(_watch)  # a hook cannot be taken off again, so it is idle by itself


@pytest.fixture
def written(settings, tmp_path, monkeypatch):
    """Every file that this process opens for writing; uploads and temporary files go to a folder of the test."""
    global opened
    settings.STATE = tmp_path
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    opened = []
    yield opened
    opened = None


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def is_in_clear(folder: Path) -> bool:
    """Whether a file holds the canary, or is an xlsx that could be opened."""
    found = [path.read_bytes() for path in files(folder)]
    return any(
        CANARY.encode() in data or data[:2] == b"PK" or b"xl/worksheets" in data or b"inlineStr" in data
        for data in found
    )


def paths_of(opened: list[str]) -> set[str]:
    """Without pipes and files that are open already, which come as numbers."""
    return {path for path in opened if "sqlite3" not in path and path != "/dev/null" and not path.isdecimal()}


@pytest.mark.parametrize("end", ["confirmed", "given up", "crashed"])
def test_an_upload_is_only_ever_sealed_on_disk(admin_client, written, tmp_path, monkeypatch, end):
    admin_client.raise_request_exception = False
    answer = upload(admin_client, table("username pwd", ["ann", CANARY]))
    assert files(tmp_path)
    assert not is_in_clear(tmp_path)
    if end == "crashed":
        monkeypatch.setattr("accounts.excel.resources.write", _crash)
    if end != "given up":
        confirm(admin_client, answer)
        assert not files(tmp_path)
    assert {path for path in paths_of(written) if str(uploads.folder()) not in path} == set()


def test_what_nobody_confirmed_is_gone_after_an_hour_though_nobody_imports_again(
    admin_client, written, tmp_path, redis_client
):
    upload(admin_client, table("username pwd", ["ann", CANARY]))
    (kept,) = files(tmp_path)
    old = time.time() - uploads.LIFETIME_SECONDS - 1
    os.utime(kept, (old, old))
    Controller().one_pass()
    assert not files(tmp_path)


@pytest.mark.parametrize("password", ["", "ten letters"])
def test_an_export_is_only_ever_sealed_on_disk(admin_client, written, tmp_path, monkeypatch, password):
    for _each in range(20):
        make_account(password=CANARY)
    packed, remove = [], os.remove
    monkeypatch.setattr(os, "remove", lambda path: (packed.append(Path(path).read_bytes()), remove(path)))
    answer = admin_client.post(EXPORT, {"with_passwords": "on", "file_password": password})
    assert len(answer.content) > 5000
    assert any(len(part) > 5000 for part in packed)
    assert not any(CANARY.encode() in part or b"inlineStr" in part for part in packed)
    assert paths_of(written)
    assert all(Path(path).is_relative_to(tmp_path) for path in paths_of(written))
    assert not files(tmp_path)


def test_what_a_killed_export_leaves_on_disk_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(SealedZip, "write", lambda *_arguments: os._exit(9))
    rows = [[CANARY] for _each in range(5000)]
    child = multiprocessing.get_context("fork").Process(target=write_sheet, args=("accounts", ["pwd"], rows))
    child.start()
    child.join(30)
    assert child.exitcode == 9
    assert sum(path.stat().st_size for path in files(tmp_path)) > 5000 * len(CANARY)
    assert not is_in_clear(tmp_path)


def _crash(*_arguments):
    raise RuntimeError("crashed midway")
