"""Signing in: lock-out, second factor, session limits, and what the browser is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

from accounts.choices import AuditAction
from accounts.keyring import Unreadable
from accounts.models import AuditEvent
from accounts.totp import current_code
from config import keys
from config.checks import check_second_factor, check_strength
from config.env import BASE
from config.models import SecondFactor
from tests.factories import make_account

pytestmark = pytest.mark.django_db

INDEX, LOGIN, ACCOUNTS = (
    reverse(f"admin:{name}") for name in ("index", "login", "accounts_account_changelist")
)
FACTOR = reverse("second_factor")
PASSWORD = "a password of mine"


@pytest.fixture(autouse=True)
def _as_in_real_life(settings):
    settings.PHONERACK_SECOND_FACTOR, settings.AXES_ENABLED = "secrets", True


def user_in(group: str, name: str = "mo") -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    return user


def sign_in(client: Client, name: str = "mo", password: str = PASSWORD, **more):
    return client.post(LOGIN, {"username": name, "password": password}, **more)


def secret_on(page) -> str:
    return "".join(re.search(r'pr-long">([A-Z2-7 ]+)<', page.content.decode())[1].split())


def set_up(client: Client) -> str:
    """Enrols; returns the secret."""
    secret = secret_on(client.get(FACTOR))
    assert client.post(FACTOR, {"code": current_code(secret)[0]}).status_code == 302
    return secret


# Lock-out


def test_after_five_wrong_passwords_the_right_one_does_not_help_for_a_quarter_of_an_hour(client):
    user_in("Viewer")
    for _each in range(4):
        assert sign_in(client, password="wrong").status_code == 200
    assert sign_in(client, password="wrong").status_code == 429
    refused = sign_in(client)
    assert refused.status_code == 429
    assert "Too many wrong passwords" in refused.content.decode()
    assert sign_in(Client(), REMOTE_ADDR="10.9.9.9").status_code == 302
    with travel(time.time() + 16 * 60):
        assert sign_in(client).status_code == 302


def test_wrong_passwords_on_the_page_that_shows_secrets_count_too_and_are_kept_nowhere(client, settings):
    settings.PHONERACK_SECOND_FACTOR = "off"
    account = make_account(password="hunter22")
    user_in("Manager")
    sign_in(client)
    page = reverse("admin:accounts_account_reveal", args=[account.pk])
    answers = [client.post(page, {"own_password": "canary-typo"}) for _each in range(5)]
    assert answers[-1].status_code == 429
    assert "hunter22" not in client.post(page, {"own_password": PASSWORD}).content.decode()
    kept = [str(vars(row)) for row in AccessAttempt.objects.all()]
    assert kept
    assert "canary-typo" not in str(kept)


# The second factor


@pytest.mark.parametrize("group", ["Operator", "Manager", "Owner"])
def test_who_sees_secrets_gets_no_page_before_the_second_factor(client, group):
    user_in(group)
    sign_in(client)
    for answer in (client.get(ACCOUNTS), client.post(ACCOUNTS), client.get("/admin/no/such/page/")):
        assert answer.status_code == 302
        assert answer["Location"].startswith(FACTOR)
    poll = client.get(reverse("console:live"), HTTP_HX_REQUEST="true")
    assert (poll.status_code, poll["HX-Refresh"]) == (204, "true")
    page = client.get(FACTOR)
    assert "<svg viewBox" in page.content.decode()  # drawn to the size of its place, also for a long name
    assert "no-store" in page["Cache-Control"]


def test_a_viewer_needs_none_unless_everybody_does(client, settings):
    user_in("Viewer")
    sign_in(client)
    assert client.get(ACCOUNTS).status_code == 200
    settings.PHONERACK_SECOND_FACTOR = "all"
    assert client.get(ACCOUNTS).status_code == 302
    settings.PHONERACK_SECOND_FACTOR = "off"
    assert client.get(ACCOUNTS).status_code == 200


def test_it_is_set_up_once_written_down_and_asked_for_at_the_next_sign_in(client):
    user_in("Manager")
    sign_in(client)
    with travel(1_800_000_000):
        sign_in(client)
        secret = set_up(client)
        assert client.get(ACCOUNTS).status_code == 200
    assert AuditEvent.objects.get().action == AuditAction.FACTOR_SET
    again = Client()
    with travel(1_800_000_060):
        sign_in(again)
        page = again.get(f"{FACTOR}?next={ACCOUNTS}")
        assert secret not in page.content.decode().replace(" ", "")
        assert (
            "<svg"
            not in page.content.decode().partition('<form method="post">')[0].rpartition("</header>")[2]
        )
        answer = again.post(f"{FACTOR}?next={ACCOUNTS}", {"code": f" {current_code(secret)[0]} "})
        assert answer["Location"] == ACCOUNTS
        assert again.get(ACCOUNTS).status_code == 200


def test_a_code_is_good_once(client):
    user_in("Manager")
    with travel(1_800_000_000, tick=False):
        sign_in(client)
        secret = set_up(client)
        again = Client()
        sign_in(again)
        assert again.post(FACTOR, {"code": current_code(secret)[0]}).status_code == 200
        assert again.get(ACCOUNTS).status_code == 302


@pytest.mark.parametrize("code", ["", "abcdef", "000000", "٣٣٣٣٣٣"])
def test_a_wrong_code_lets_nobody_in_and_the_next_try_waits(client, code):
    user_in("Manager")
    with travel(1_800_000_000, tick=False):
        sign_in(client)
        secret = secret_on(client.get(FACTOR))
        assert client.post(FACTOR, {"code": code}).status_code == 200
        if code:
            waits = client.post(FACTOR, {"code": current_code(secret)[0]})
            assert "wait a little" in waits.content.decode()
        assert client.get(ACCOUNTS).status_code == 302


def test_whoever_set_one_up_is_asked_for_it_though_nobody_demands_it(client):
    user = user_in("Viewer")
    SecondFactor.begun_for(user)
    SecondFactor.objects.update(confirmed=True)
    sign_in(client)
    assert client.get(ACCOUNTS).status_code == 302


def test_its_secret_is_sealed_in_the_database(settings):
    factor = SecondFactor.begun_for(user_in("Manager"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM config_secondfactor")
        (stored,) = cursor.fetchone()
    assert stored.startswith("t1:")
    assert factor.secret.reveal() not in stored
    settings.PHONERACK_FIELD_KEYS = keys.fresh()["PHONERACK_FIELD_KEYS"]
    with pytest.raises(Unreadable):
        SecondFactor.objects.get().verify_token("123456")


def test_an_owner_takes_it_away_and_so_does_a_command(client, admin_client):
    user = user_in("Manager")
    SecondFactor.begun_for(user)
    SecondFactor.objects.update(confirmed=True)
    call_command("reset_second_factor", "mo")
    assert not SecondFactor.objects.exists()
    assert AuditEvent.objects.get().action == AuditAction.FACTOR_RESET


def test_nobody_is_led_elsewhere_after_the_second_factor(client):
    user_in("Manager")
    sign_in(client)
    secret = secret_on(client.get(FACTOR))
    answer = client.post(f"{FACTOR}?next=https://evil.example/", {"code": current_code(secret)[0]})
    assert answer["Location"] == INDEX


# Sessions


def test_a_session_ends_when_nobody_clicks_and_a_page_that_refreshes_itself_is_no_click(client, settings):
    user_in("Viewer")
    settings.PHONERACK_IDLE_MINUTES = 30
    start = 1_800_000_000
    with travel(start):
        sign_in(client)
    with travel(start + 20 * 60):
        assert client.get(ACCOUNTS).status_code == 200
    with travel(start + 45 * 60):
        assert client.get(reverse("console:live"), HTTP_HX_REQUEST="true").status_code == 200
        assert client.get(ACCOUNTS, HTTP_X_LIVE="1").status_code == 200
    with travel(start + 51 * 60):
        assert client.get(ACCOUNTS).status_code == 302
        assert "Your session has ended" in client.get(LOGIN).content.decode()


def test_a_session_ends_after_its_hours_however_much_is_clicked(client, settings):
    user_in("Viewer")
    start = 1_800_000_000
    for minute in range(0, settings.SESSION_COOKIE_AGE // 60, 50):
        with travel(start + minute * 60):
            assert (client.get(ACCOUNTS) if minute else sign_in(client)).status_code == (
                200 if minute else 302
            )
    with travel(start + settings.SESSION_COOKIE_AGE):
        assert client.get(ACCOUNTS).status_code == 302


# What the browser is told


@pytest.mark.parametrize("url", [LOGIN, "/nowhere/", "/static/phonerack/console.js", INDEX])
def test_every_answer_says_what_it_may_load(client, url):
    policy = client.get(url)["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)[1]
    assert scripts == "'self' 'unsafe-eval'"
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert rule in policy


# Production


def production(**over: str) -> subprocess.CompletedProcess[str]:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PHONERACK")}, **keys.fresh(),
        "DJANGO_SETTINGS_MODULE": "config.settings", "USE_TLS": "true", "ALLOWED_HOSTS": "phones.example.org", **over,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=BASE, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_django_finds_nothing_to_warn_of_in_the_production_settings(tmp_path):
    ended = production(PHONERACK_STATE=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SECRET_KEY", "changeme" * 8, "E005"), ("SECRET_KEY", "x9-too-few", "E005"), ("SECRET_KEY", "a" * 60, "E005"),
        ("SECRET_KEY", "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz", "E005"),
        ("PHONERACK_FIELD_KEYS", "k1:" + "A" * 43 + "=", "E006"), ("PHONERACK_FIELD_KEYS", "k1:x", "E006"),
        ("PHONERACK_CONTROLLER_KEY", "00" * 32, "E007"), ("PHONERACK_CONTROLLER_KEY", "xyz", "E007"),
    ],
)  # fmt: skip
def test_a_secret_that_is_none_is_refused_and_not_repeated(settings, name, value, code):
    setattr(settings, name, value)
    (found,) = check_strength()
    assert found.id == f"phonerack.{code}"
    assert value not in str(found)


def test_fresh_secrets_are_good_ones(settings):
    for name, value in keys.fresh().items():
        setattr(settings, name, value)
    assert check_strength() == []


def test_a_slip_of_the_pen_does_not_turn_the_second_factor_off(settings):
    settings.PHONERACK_SECOND_FACTOR = "of"
    assert [found.id for found in check_second_factor()] == ["phonerack.E008"]


def test_in_production_cookies_travel_over_tls_only_and_no_script_reads_the_session(tmp_path):
    code = (
        "from django.conf import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
        "s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE)"
    )
    env = {
        **os.environ, **keys.fresh(), "USE_TLS": "true", "PHONERACK_STATE": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }  # fmt: skip
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE, env=env, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "True", "True", "Lax"]


def test_a_web_server_that_is_started_by_itself_refuses_to_serve_without_keys(tmp_path):
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("PHONERACK", "SECRET_KEY"))
    }
    env |= {"PHONERACK_STATE": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    ended = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=BASE,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    for code in ("E001", "E002", "E003"):
        assert f"phonerack.{code}" in ended.stderr


def test_a_sign_in_forgets_the_sessions_that_have_expired(client) -> None:
    for days in (-1, 1):
        Session.objects.create(
            session_key=f"of{days}", session_data="", expire_date=timezone.now() + timedelta(days=days)
        )
    user_in("Viewer")
    sign_in(client)
    assert not Session.objects.filter(session_key="of-1").exists()
    assert Session.objects.filter(session_key="of1").exists()
