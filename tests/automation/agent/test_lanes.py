"""A phone is in one pair of hands only, within a process and between processes."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.agent import lanes as module
from automation.agent.identity import CannotStart
from automation.agent.lanes import Lanes, try_lock
from automation.agent.worker import Agent
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneTaken


def test_one_has_the_phone_one_waits_and_the_others_are_turned_away_at_once(tmp_path: Path) -> None:
    lanes, inside, worst, turned_away = Lanes(tmp_path), [], [], []

    def work() -> None:
        try:
            with lanes.hold("SIM1", Deadline(10)):
                inside.append(1)
                worst.append(len(inside))
                time.sleep(0.3)
                inside.pop()
        except PhoneTaken:
            turned_away.append(1)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert (worst, len(turned_away)) == ([1, 1], 18)


def test_other_phones_are_free_meanwhile(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path)
    with lanes.hold("SIM1", Deadline(5)), lanes.hold("SIM2", Deadline(5)):
        pass


HOLDER = """
import sys, pathlib
from automation.agent import lanes as module
from automation.agent.identity import CannotStart
from automation.agent.lanes import Lanes, try_lock
from devices.phones.deadline import Deadline
with Lanes(pathlib.Path(sys.argv[1])).hold("SIM1", Deadline(5)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_kept_out_and_let_in_when_the_holder_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    lanes = Lanes(tmp_path)
    with pytest.raises(PhoneTaken), lanes.hold("SIM1", Deadline(0.3)):
        pass
    holder.kill()
    holder.communicate()
    with lanes.hold("SIM1", Deadline(5)):
        pass


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """As a careful administrator has it: what is made is its owner's alone."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_agents_of_other_users_can_lock_too_whatever_the_umask(tmp_path: Path, strict_umask: None) -> None:
    folder = tmp_path / "locks"
    with Lanes(folder).hold("SIM1", Deadline(5)):
        assert (mode(folder), mode(folder / "SIM1.lock")) == (0o1777, 0o666)


def test_a_lock_that_only_its_maker_may_write_serves_the_others(tmp_path: Path, monkeypatch) -> None:
    """Linux refuses to make in a folder of everybody what another user has made there."""
    (tmp_path / "SIM1.lock").touch(0o444)
    asked, opens = [], os.open

    def noted(path: object, flags: int, *more: object, **options: object) -> int:
        asked.append(flags)
        return opens(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", noted)
    with Lanes(tmp_path).hold("SIM1", Deadline(5)):
        pass
    assert not any(flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) for flags in asked)


@pytest.mark.parametrize("serial", ["SIM/../1", "漢" * 100])
def test_every_serial_has_a_lock(tmp_path: Path, serial: str) -> None:
    with Lanes(tmp_path).hold(serial, Deadline(5)):
        assert len(list(tmp_path.glob("*.lock"))) == 1


def test_a_folder_that_was_cleaned_away_is_made_anew(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path / "locks")
    for _each in range(2):
        with lanes.hold("SIM1", Deadline(5)):
            shutil.rmtree(tmp_path / "locks")


def test_a_lock_whose_file_was_cleaned_away_before_it_was_had_keeps_nobody_out_and_is_not_used(
    tmp_path: Path, monkeypatch
) -> None:
    """Between the opening and the lock: whoever came next would lock another file of that name."""
    flock, cleaned = module._try_flock, []

    def after_a_cleaning(file: int) -> bool:
        if not cleaned:
            cleaned.append((tmp_path / "SIM1.lock").unlink())
        return flock(file)

    monkeypatch.setattr(module, "_try_flock", after_a_cleaning)
    with (
        Lanes(tmp_path).hold("SIM1", Deadline(5)),
        pytest.raises(PhoneTaken),
        Lanes(tmp_path).hold("SIM1", Deadline(0.3)),
    ):
        pass
    assert cleaned


def test_a_lock_in_use_is_never_an_old_file(tmp_path: Path) -> None:
    """systemd-tmpfiles and its like remove what nobody has touched for days."""
    path = tmp_path / "SIM1.lock"
    path.touch()
    os.utime(path, (0, 0))
    with Lanes(tmp_path).hold("SIM1", Deadline(5)):
        assert time.time() - path.stat().st_mtime < 60


def test_links_that_somebody_put_there_are_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "locks", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir(mode=0o700)
    (folder / "SIM1.lock").symlink_to(elsewhere / "made")
    with pytest.raises(PhoneTaken, match="cannot be had"), Lanes(folder).hold("SIM1", Deadline(5)):
        pass
    (tmp_path / "link").symlink_to(elsewhere)
    with pytest.raises(CannotStart):
        try_lock(tmp_path / "link")
    assert (mode(elsewhere), list(elsewhere.iterdir())) == (0o700, [])


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.ENAMETOOLONG, errno.EROFS])
def test_a_lock_that_cannot_be_had_keeps_the_phone_alone_and_says_why(
    tmp_path: Path, monkeypatch, number: int
) -> None:
    def refused(*_arguments: object, **_options: object) -> int:
        raise OSError(number, os.strerror(number))

    lanes = Lanes(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        with pytest.raises(PhoneTaken, match=os.strerror(number)), lanes.hold("SIM1", Deadline(5)):
            pass
    with lanes.hold("SIM1", Deadline(5)):
        pass


def test_what_goes_wrong_on_the_phone_is_not_taken_for_a_trouble_of_its_lock(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of the script"), Lanes(tmp_path).hold("SIM1", Deadline(5)):
        raise OSError("of the script")


def test_a_folder_that_cannot_be_used_is_told_before_the_first_run_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.touch()
    with pytest.raises(CannotStart, match=f"sudo chmod 1777 {folder}") as told:
        try_lock(folder)
    assert "PHONERACK_LOCKS" in str(told.value)


def test_an_agent_that_could_lock_no_phone_does_not_start(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PHONERACK_LOCKS", str(tmp_path / "file"))
    agent = Agent("pc1", "redis://127.0.0.1:1/0", tmp_path / "pc1", [], [], 1)
    with pytest.raises(CannotStart, match="folder in which phones are locked"):
        agent.run()


def test_a_trial_leaves_nothing_behind(tmp_path: Path) -> None:
    try_lock(tmp_path / "locks")
    assert list((tmp_path / "locks").iterdir()) == []


def test_without_a_setting_all_users_of_a_machine_have_one_folder(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PHONERACK_LOCKS", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert str(module.locks_folder()) == "/tmp/phonerack-locks"
