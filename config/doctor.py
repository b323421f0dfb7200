"""What `./run doctor` looks at. Each check yields findings: a kind and one sentence that says what to do."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import AuthenticationError, RedisError

from accounts.keyring import Unreadable, key_ring
from accounts.models import Account
from automation.agent.identity import CannotStart
from automation.agent.lanes import locks_folder, try_lock
from automation.controller.tickets import controller_key
from automation.models import Campaign
from automation.protocol import CONTROLLER_KEY, without_password
from automation.scripts import options, plugins
from automation.scripts.base import SCRIPTS
from config import keys, redis_server
from devices.models import Host
from devices.phones import adb

PYTHON = (3, 11)
SECONDS = 5  #: what adb or Redis may take to answer
HEARD_SECONDS = 30  #: how long ago a sign of life may lie
TICK_SECONDS = 60  #: beat fires every 15
GIGABYTE = 10**9
LISTENING = "0A"  #: linux include/net/tcp_states.h, as /proc/net/tcp writes it
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
NO_ADB: tuple[type[Exception], ...] = (*adb.ADB_ERRORS, subprocess.SubprocessError)


class Finding(NamedTuple):
    kind: str  #: good, bad (must be mended), note
    sentence: str


def good(sentence: str) -> Finding:
    return Finding("good", sentence)


def bad(sentence: str) -> Finding:
    return Finding("bad", sentence)


def note(sentence: str) -> Finding:
    return Finding("note", sentence)


def findings(names: Iterable[str]) -> Iterator[Finding]:
    """What the checks of these names find; a check that fails itself is a finding too."""
    for name in names:
        try:
            yield from CHECKS[name]()
        except DatabaseError:
            yield bad(f"{name}: not known, because the database cannot be read.")
        except Exception as error:  # noqa: BLE001 - a doctor that dies says nothing of the rest
            yield bad(f"{name} could not be looked at ({type(error).__name__}).")


def check_python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < PYTHON:
        yield bad(f"Python {version} is too old: 3.11 or newer is needed.")
    else:
        yield good(f"Python {version} on {platform.machine()}")


def check_disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.STATE).free
    sentence = f"{free / GIGABYTE:.1f} GB free where the state is kept ({settings.STATE})"
    yield good(sentence) if free > GIGABYTE else bad(f"Only {sentence}: make room.")


def check_adb() -> Iterator[Finding]:
    try:
        path = adb.server_command(0)[0]
        said = subprocess.run([path, "version"], capture_output=True, text=True, timeout=SECONDS, check=True)
    except NO_ADB as error:
        yield bad(
            f"adb does not run here ({type(error).__name__}). Debian and its like: sudo apt install adb"
        )
        return
    lines = dict(line.split(" ", 1) for line in said.stdout.splitlines() if " " in line)
    yield good(f"adb {lines.get('Version', '')} at {path}")


def check_adb_server() -> Iterator[Finding]:
    """Whoever reaches an adb server owns its phones, so it must listen on loopback only."""
    for port in _adb_ports():
        where = list(_listeners(port))
        if not where:
            yield note(f"No adb server runs on port {port}; an agent starts one.")
        elif all(address in LOOPBACK for address in where):
            yield good(f"The adb server on port {port} can be reached from this machine only.")
        else:
            yield bad(
                f"The adb server on port {port} can be reached from other machines: stop it (adb kill-server) and "
                f"start it without -a."
            )


def _adb_ports() -> list[int]:
    """The ports of the adb servers that an agent of this machine would use."""
    addresses = os.environ.get("PHONERACK_ADB", "127.0.0.1:5037").split()
    return [int(address.rpartition(":")[2]) for address in addresses]


def _listeners(port: int) -> Iterator[str]:
    """The addresses, as Linux writes them, on which something listens on this port."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            _number, local, _remote, state = line.split()[:4]
            address, _colon, found = local.partition(":")
            if state == LISTENING and int(found, 16) == port:
                yield address


def check_locks() -> Iterator[Finding]:
    """Where the agents of this machine keep each other off a phone."""
    folder = locks_folder()
    try:
        try_lock(folder)
    except CannotStart as error:
        yield bad(str(error))
    else:
        yield good(f"Phones can be locked in {folder}.")


def check_redis() -> Iterator[Finding]:
    client = _redis()
    where = without_password(settings.REDIS_URL)
    try:
        client.ping()
    except AuthenticationError:
        yield bad(f"Redis at {where} refuses the user or the password in REDIS_URL.")
    except (RedisError, OSError):
        yield bad(f"Redis does not answer at {where}: start it, or set REDIS_URL. {_own_server()}")
    else:
        yield good(f"Redis answers at {where}.")
        yield from _persistence(client)


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)


def _own_server() -> str:
    try:
        return f"(The demo would start one of its own: {redis_server.find_server()})"
    except (redis_server.NoServer, ImportError):
        return "(Neither redis-server nor valkey-server is installed here.)"


def _persistence(client: redis.Redis) -> Iterator[Finding]:
    try:
        said = client.info()
    except RedisError:  # a user with few rights
        return
    if not said.get("aof_enabled"):
        yield note(
            "Redis keeps no log on disk (appendonly no): a restart costs offers, which are made again."
        )
    if said.get("maxmemory") and said.get("maxmemory_policy") != "noeviction":
        yield bad("Redis may throw keys away when it is full: set maxmemory-policy noeviction.")


def check_secrets() -> Iterator[Finding]:
    if settings.SECRET_KEY == settings.NO_SECRET_KEY:
        yield bad("SECRET_KEY is not set: ./run setup")
    try:
        key_ring()
        controller_key()
    except ImproperlyConfigured as error:
        yield bad(str(error))
    except (ValueError, TypeError):
        yield bad("PHONERACK_CONTROLLER_KEY is not set, or is not 64 hex digits: ./run setup")
    else:
        yield good("The keys of this installation are usable.")
    yield from _modes()


def _modes() -> Iterator[Finding]:
    path = settings.STATE / keys.FILE
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield bad(f"Others on this machine can read the keys: chmod 600 {path}")
    elif path.exists():
        yield good(f"Only its owner can read {path}.")
    if stat.S_IMODE(settings.STATE.stat().st_mode) & 0o007:
        yield bad(f"Others on this machine can look into the state folder: chmod 700 {settings.STATE}")


def check_database() -> Iterator[Finding]:
    where = f"{connection.vendor} database {Path(str(connection.settings_dict['NAME'])).name}"
    try:
        _must_exist()
        executor = MigrationExecutor(connection)
        todo = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except NoDatabase:
        yield bad("There is no database yet: ./run setup")
        return
    except DatabaseError as error:
        yield bad(f"The {where} does not answer ({type(error).__name__}): check DATABASE_URL.")
        return
    if todo:
        yield bad(f"The {where} lacks {len(todo)} migrations: ./run migrate")
        return
    yield good(f"The {where} answers and is up to date.")
    yield from _stored_passwords()


class NoDatabase(DatabaseError):
    """The database file has not been made yet."""


def _must_exist() -> None:
    """Raises NoDatabase, where merely asking would make an empty file."""
    if connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists():
        raise NoDatabase


def _stored_passwords() -> Iterator[Finding]:
    """Whether the key ring opens what was sealed last."""
    try:
        for account in Account.objects.order_by("-updated_at")[:50]:
            account.password.reveal()
    except Unreadable as error:
        yield bad(f"A stored password does not open. {error} Put the key back.")
    except ImproperlyConfigured:
        return  # check_secrets says it


def check_controller() -> Iterator[Finding]:
    if _controller_is_heard():
        yield good("The controller is at work.")
    else:
        yield bad("No controller was heard lately: ./run controller")


def _controller_is_heard() -> bool:
    """By the key that it renews, or by a host whose heartbeat it has noted."""
    try:
        if _redis().exists(CONTROLLER_KEY):
            return True
    except (RedisError, OSError):
        return False  # without Redis it hears nobody
    _must_exist()
    return any(is_recent(when, HEARD_SECONDS) for when in Host.objects.values_list("last_seen", flat=True))


def check_beat() -> Iterator[Finding]:
    """Seen by what the tick notes on the campaigns that have a schedule."""
    _must_exist()
    ticks = list(Campaign.objects.scheduled().values_list("checked_at", flat=True))
    if not ticks:
        yield note("No campaign has a schedule, so beat and worker have nothing to do.")
    elif any(is_recent(tick, TICK_SECONDS) for tick in ticks):
        yield good("Beat and worker are at work.")
    else:
        yield bad("No campaign tick was seen in the last minute: ./run beat and ./run worker")


def check_agents() -> Iterator[Finding]:
    _must_exist()
    hosts = list(Host.objects.all())
    if not hosts:
        yield note("No agent has called yet: start one on a machine with phones (./run agent).")
    for host in hosts:
        if not is_recent(host.last_seen, HEARD_SECONDS):
            yield bad(f"The agent of host {host} is not heard: start it there (./run agent --name {host}).")
        elif not host.is_trusted:
            yield bad(f"Host {host} waits to be trusted: on its page in the admin.")
        else:
            online = host.devices.filter(connection="online").count()
            yield good(f"The agent of host {host} is at work, {online} phones online.")


def check_scripts() -> Iterator[Finding]:
    """The user's own scripts, as this machine sees them."""
    for problem in plugins.problems:
        yield bad(problem)
    own = [f"{one.name} ({one.module})" for one in SCRIPTS.values() if not one.is_shipped]
    if own:
        yield good(f"Scripts of your own: {', '.join(own)}.")
    elif not plugins.problems:
        yield note("No scripts of your own (docs/writing-a-script.md says how to add one).")


def check_campaigns() -> Iterator[Finding]:
    """Campaigns that cannot start, or whose runs would end at once: their script is another one by now."""
    _must_exist()
    for campaign in Campaign.objects.all():
        if campaign.script not in SCRIPTS:
            yield bad(
                f"Campaign {campaign} cannot start: its script {campaign.script} is not known here. "
                f"Name its module in {plugins.SETTING}, or give the campaign another script."
            )
            continue
        try:
            options.read(SCRIPTS[campaign.script].options, campaign.options)
        except options.WrongOption as error:
            yield bad(f"Campaign {campaign}, option {error.option}: {error} Open its form and save it anew.")


def is_recent(when: datetime | None, seconds: float) -> bool:
    return when is not None and when > timezone.now() - timedelta(seconds=seconds)


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": check_python,
    "disk": check_disk,
    "adb": check_adb,
    "adb-server": check_adb_server,
    "locks": check_locks,
    "redis": check_redis,
    "secrets": check_secrets,
    "database": check_database,
    "controller": check_controller,
    "beat": check_beat,
    "agents": check_agents,
    "scripts": check_scripts,
    "campaigns": check_campaigns,
}
#: What a host with phones needs: no database and no keys.
OF_AN_AGENT = ("python", "disk", "adb", "adb-server", "locks", "redis", "scripts")
