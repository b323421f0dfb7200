"""What cannot start says so in one sentence, and changes nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from automation.agent.identity import Identity
from config import keys, redis_server
from config.demo import slot
from config.env import BASE, env
from config.processes import Process, free_port
from tests.phones import wait_for


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run_command(sys.executable, *arguments, **env)


def run_command(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **env},
        capture_output=True, text=True, timeout=60, check=False, cwd=BASE,
    )  # fmt: skip


def agent(state: Path, redis_url: str, adb_port: int, *more: str) -> subprocess.CompletedProcess[str]:
    return run(
        "-m", "automation.agent", "--name", "pc1", "--state", str(state), "--redis", redis_url,
        "--adb", f"127.0.0.1:{adb_port}", *more,
    )  # fmt: skip


def test_an_agent_without_redis_says_where_it_looked_and_shows_no_password(tmp_path: Path) -> None:
    ended = agent(tmp_path, "redis://:top-Secret@127.0.0.1:1/0", free_port())
    assert ended.returncode == 1
    assert "Redis does not answer at redis://…@127.0.0.1:1/0" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "top-Secret" not in ended.stderr


@pytest.mark.parametrize("command", [["-m", "automation.agent"], ["manage.py", "controller"]])
def test_an_address_that_is_none_is_named(tmp_path: Path, command: list[str]) -> None:
    state = {"PHONERACK_STATE": str(tmp_path), "PHONERACK_AGENT_STATE": str(tmp_path)}
    ended = run(*command, REDIS_URL="foo", **state, **keys.fresh())
    assert ended.returncode == 1
    assert "REDIS_URL is no Redis address" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_second_agent_of_the_same_name_elsewhere_is_refused(
    tmp_path: Path, redis_client, redis_url: str
) -> None:
    redis_client.set("h:pc1:agent", "somebody else", ex=20)
    ended = agent(tmp_path, redis_url, free_port())
    assert ended.returncode == 1
    assert "Another agent already uses the name pc1" in ended.stderr


def test_an_agent_on_a_full_disk_says_so_and_leaves_no_half_a_key(
    tmp_path: Path, redis_client, redis_url: str
) -> None:
    command = [sys.executable, "-m", "automation.agent", "--name", "pc1", "--state", str(tmp_path)]
    command += ["--redis", redis_url, "--adb", f"127.0.0.1:{free_port()}"]
    full = run_command("/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command)
    assert full.returncode == 1
    assert f"The state folder {tmp_path / 'pc1'} cannot be written" in full.stderr
    assert "Traceback" not in full.stderr
    assert Identity("pc1", tmp_path / "pc1").public_key  # no half a key was left


def test_an_agent_whose_adb_port_is_taken_by_something_else_says_so(
    tmp_path: Path, redis_client, redis_url: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = agent(tmp_path, redis_url, taken.getsockname()[1])
    assert ended.returncode == 1
    assert "adb server" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [("--name", "two words"), ("--adb", "somewhere"), ("--log-level", "LOUD"), ("--lanes", "x")],
)
def test_an_agent_with_a_bad_option_says_which(tmp_path: Path, option: str, value: str) -> None:
    ended = agent(tmp_path, "redis://127.0.0.1:1/0", free_port(), option, value)
    assert ended.returncode == 2
    assert option in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    ended = run("manage.py", "check", PHONERACK_STATE=str(tmp_path), SECRET_KEY_FILE=str(tmp_path / "none"))
    assert ended.returncode == 1
    assert "SECRET_KEY_FILE names a file that cannot be read" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_line_end_of_a_secret_file_is_no_part_of_the_secret(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "secret").write_text("abc \n")
    monkeypatch.setenv("SOMETHING_FILE", str(tmp_path / "secret"))
    assert env.str("SOMETHING") == "abc "


def test_the_web_on_a_taken_port_says_which(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("manage.py", "web", "--bind", address, PHONERACK_STATE=str(tmp_path), **keys.fresh())
    assert ended.returncode == 1
    assert address in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("missing", ["SECRET_KEY", "PHONERACK_FIELD_KEYS", "PHONERACK_CONTROLLER_KEY"])
def test_nothing_starts_without_its_secrets(tmp_path: Path, missing: str) -> None:
    ended = run("manage.py", "controller", PHONERACK_STATE=str(tmp_path), **{**keys.fresh(), missing: ""})
    assert ended.returncode == 1
    assert f"{missing} is not set." in ended.stderr


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    path = keys.make(tmp_path)
    before = path.read_text()
    assert keys.make(tmp_path).read_text() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_redis_url_that_is_set_is_not_ours_to_start(redis_client, redis_url: str) -> None:
    assert redis_client.info("persistence")["aof_enabled"] == 1


def test_without_a_server_in_the_path_the_packed_one_is_used(monkeypatch) -> None:
    monkeypatch.setattr(redis_server.shutil, "which", lambda _name: None)
    assert redis_server.find_server().endswith("valkey-server")


def test_the_packed_server_answers_and_ends(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(redis_server.shutil, "which", lambda _name: None)
    process, url = redis_server.start(tmp_path)
    assert url.startswith("redis://127.0.0.1:")
    process.stop()
    assert not process.is_alive()


def test_stopping_a_process_ends_what_it_started_too(tmp_path: Path) -> None:
    process = Process("shell", ["sh", "-c", "sleep 100 & echo $!; wait"], tmp_path / "log")
    child = wait_for(lambda: (tmp_path / "log").read_text().strip(), what="the child")
    process.stop()
    stat = Path(f"/proc/{child}/stat")
    wait_for(lambda: not stat.exists() or stat.read_text().split()[2] == "Z", what="the end of the child")


def test_a_slot_in_use_is_neither_taken_nor_cleaned(tmp_path: Path) -> None:
    first, second = slot.take(tmp_path), slot.take(tmp_path)
    assert (first.number, second.number) == (1, 2)
    assert slot.clean(tmp_path) == [1, 2]
    first._lock.close()
    second._lock.close()
    assert slot.clean(tmp_path) == []
    assert not tmp_path.exists()


def test_a_broken_script_of_the_users_is_said_by_the_agent_and_does_not_keep_it_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text("import no_such_thing")
    monkeypatch.setenv("PHONERACK_SCRIPTS", str(tmp_path / "broken.py"))
    ended = agent(tmp_path, "redis://127.0.0.1:1/0", free_port())
    assert "broken.py (PHONERACK_SCRIPTS) is left out: ModuleNotFoundError" in ended.stderr
    assert "Redis does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
