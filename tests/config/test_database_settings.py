"""How the program talks to PostgreSQL, as DATABASE_URL and the settings have it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

from config.env import BASE

SETTINGS = (
    "import json; from config import settings; print(json.dumps(settings.DATABASES['default']['OPTIONS']))"
)
CONNECT = "import django; django.setup(); from django.db import connection; connection.ensure_connection()"


def run(program: str, url: str) -> subprocess.CompletedProcess[str]:
    over = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **over}, capture_output=True, text=True, timeout=100,
        check=False, cwd=BASE,
    )  # fmt: skip


def test_what_the_address_of_the_database_says_goes_before_the_settings() -> None:
    said = json.loads(run(SETTINGS, "postgres://u:p@h/db?sslmode=require&connect_timeout=7").stdout)
    assert (said["sslmode"], said["connect_timeout"], said["prepare_threshold"]) == ("require", 7, 5)


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = run(CONNECT, f"postgres://u:p@127.0.0.1:{silent.getsockname()[1]}/db")
    assert "timeout" in ended.stderr
    assert ended.returncode == 1
