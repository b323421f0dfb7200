"""./run doctor: each thing that must be mended is said in a sentence, never as a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from automation.models import Campaign
from config import doctor, keys
from config.env import BASE
from devices.phones import adb
from tests.factories import make_account, make_device, make_host


def kinds(name: str) -> list[str]:
    return [finding.kind for finding in doctor.findings([name])]


def said(name: str) -> str:
    return "\n".join(finding.sentence for finding in doctor.findings([name]))


@pytest.fixture
def state(settings, tmp_path):
    """A state folder as ./run setup makes it."""
    settings.STATE = tmp_path / "state"
    keys.make(settings.STATE)
    return settings.STATE


def test_python_disk_and_adb_are_good_here(state):
    for name in ("python", "disk", "adb"):
        assert kinds(name) == ["good"], said(name)


def test_a_full_disk_is_bad(state, monkeypatch):
    monkeypatch.setattr(doctor, "GIGABYTE", 10**18)
    assert kinds("disk") == ["bad"]


def test_without_adb_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(adb, "server_command", lambda _port: ["/nowhere/adb"])
    assert kinds("adb") == ["bad"]
    assert "apt install adb" in said("adb")


@pytest.mark.parametrize(("address", "kind"), [("127.0.0.1", "good"), ("0.0.0.0", "bad")])
def test_an_adb_server_must_listen_on_loopback_only(address, kind, monkeypatch):
    with socket.socket() as server:
        server.bind((address, 0))
        server.listen()
        monkeypatch.setenv("PHONERACK_ADB", f"127.0.0.1:{server.getsockname()[1]}")
        assert kinds("adb-server") == [kind]


def test_no_adb_server_is_nothing_bad(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PHONERACK_ADB", f"127.0.0.1:{unused.getsockname()[1]}")
        assert kinds("adb-server") == ["note"]


def test_a_folder_in_which_phones_can_be_locked_is_good(monkeypatch, tmp_path):
    monkeypatch.setenv("PHONERACK_LOCKS", str(tmp_path / "locks"))
    assert kinds("locks") == ["good"]
    assert "locks" in doctor.OF_AN_AGENT


def test_a_folder_in_which_no_phone_can_be_locked_is_bad_and_says_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PHONERACK_LOCKS", str(tmp_path / "file"))
    assert kinds("locks") == ["bad"]
    assert "chmod 1777" in said("locks")


def test_a_redis_that_answers_is_good(redis_client):
    assert kinds("redis") == ["good"]


def test_a_redis_that_throws_keys_away_is_bad(redis_client):
    redis_client.config_set("maxmemory", "100mb")
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "noeviction" in said("redis")
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")
        redis_client.config_set("maxmemory", "0")


def test_an_unreachable_redis_is_bad_and_its_password_is_not_shown(settings):
    settings.REDIS_URL = "redis://:topsecret@127.0.0.1:1/0"
    assert kinds("redis") == ["bad"]
    assert "topsecret" not in said("redis")


def test_keys_that_only_their_owner_reads_are_good(state):
    assert kinds("secrets") == ["good", "good"]


def test_keys_that_others_can_read_are_bad(state):
    (state / keys.FILE).chmod(0o640)
    assert "chmod 600" in said("secrets")


def test_a_state_folder_that_others_can_enter_is_bad(state):
    state.chmod(0o755)
    assert "chmod 700" in said("secrets")


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", "none"), ("PHONERACK_FIELD_KEYS", ""), ("PHONERACK_CONTROLLER_KEY", "abc")],
)
def test_a_missing_or_broken_key_is_bad_and_named(state, settings, name, value):
    setattr(settings, name, value)
    assert "bad" in kinds("secrets")
    assert name in said("secrets")


@pytest.mark.django_db
def test_a_database_that_is_up_to_date_is_good(monkeypatch):
    monkeypatch.setattr(doctor, "_must_exist", lambda: None)
    make_account()
    assert kinds("database") == ["good"]


@pytest.mark.django_db
def test_a_password_that_another_key_sealed_is_bad(settings, monkeypatch):
    monkeypatch.setattr(doctor, "_must_exist", lambda: None)
    make_account()
    settings.PHONERACK_FIELD_KEYS = "other:" + "A" * 43 + "="
    assert "does not open" in said("database")


@pytest.mark.django_db
class TestProcesses:
    @pytest.fixture(autouse=True)
    def _in_memory(self, monkeypatch):
        monkeypatch.setattr(doctor, "_must_exist", lambda: None)

    def test_a_controller_that_renews_its_key_is_good(self, redis_client):
        assert kinds("controller") == ["bad"]
        redis_client.set(doctor.CONTROLLER_KEY, "here", ex=30)
        assert kinds("controller") == ["good"]

    def test_a_controller_that_hears_a_host_is_good(self, redis_client):
        make_host(last_seen=timezone.now())
        assert kinds("controller") == ["good"]

    def test_beat_has_nothing_to_do_without_a_schedule(self):
        assert kinds("beat") == ["note"]

    @pytest.mark.parametrize(("seconds", "kind"), [(10, "good"), (90, "bad")])
    def test_beat_is_seen_by_its_last_tick(self, seconds, kind):
        ticked = timezone.now() - timedelta(seconds=seconds)
        Campaign.objects.create(name="nightly", script="match", cron="0 3 * * *", checked_at=ticked)
        assert kinds("beat") == [kind]

    def test_no_agent_yet_is_a_note(self):
        assert kinds("agents") == ["note"]

    def test_an_agent_that_is_heard_is_good(self):
        make_device(host=make_host(last_seen=timezone.now()))
        assert "1 phones online" in said("agents")

    def test_a_silent_agent_and_an_untrusted_host_are_bad(self):
        make_host(name="silent", last_seen=timezone.now() - timedelta(minutes=5))
        make_host(name="stranger", last_seen=timezone.now(), is_trusted=False)
        assert kinds("agents") == ["bad", "bad"]
        assert "silent is not heard" in said("agents")
        assert "stranger waits to be trusted" in said("agents")


def test_a_check_that_fails_itself_is_a_finding(monkeypatch):
    def break_down():
        raise RuntimeError

    monkeypatch.setitem(doctor.CHECKS, "python", break_down)
    assert kinds("python") == ["bad"]


def test_the_command_ends_with_1_only_when_something_must_be_mended(state, capsys, monkeypatch):
    call_command("doctor", only=["python"])
    assert "✓ Python" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "GIGABYTE", 10**18)
    with pytest.raises(SystemExit) as end:
        call_command("doctor", only=["disk"])
    assert end.value.code == 1
    assert "✗" in capsys.readouterr().out


def test_a_machine_that_was_never_set_up_gets_sentences_and_no_database(tmp_path):
    env = {"PATH": os.environ["PATH"], "PHONERACK_STATE": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, BASE / "manage.py", "doctor"],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "./run setup" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "phonerack.sqlite3").exists()
