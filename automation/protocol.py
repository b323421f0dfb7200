"""What controller and agent say to each other, and the Redis keys on which they say it.

All keys of a host lie under `h:<host>:`, so that one Redis user per host can be limited to them:

    runs                    the Celery queue: run id, fence, phone; never a secret
    ticket:<run>:<fence>    the sealed, single-use right to start a run
    screens:<digest>        the operator's screen files, sealed; fetched when a ticket names others than the host has
    beat                    the last heartbeat (latest wins)
    reports                 stream: the agent adds, the controller applies and deletes
    control                 hash: acknowledged number, cancels, nonces of the controllers, the controller's public key
    orders                  stream of one entry: the control hash has something that cannot wait
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

CONTROLLER_KEY = "phonerack:controller"  #: the name of the machine whose controller is at work, renewed by it
WAKE_KEY = "phonerack:wake"  #: stream of one entry: there is new work, the controller need not wait
CONTROLLER_SECONDS = 30  #: how long that key outlives it
UNCONFIRMED = (
    "unconfirmed_words"  #: in a run's result: words of the apps it relied on that nobody has seen there yet
)
RUN_TASK = "phonerack.run"  #: the Celery task an agent offers
TICK_TASK = "automation.campaign_tick"  #: the Celery task that beat fires
TICKS = "ticks"  #: the queue of the controller's worker
IMPORT_TASK = "accounts.imports_tick"  #: as accounts/tasks.py names it
HEARTBEAT_SECONDS = 5.0  #: how often an agent says that it lives
HOST_SILENT_SECONDS = 30.0  #: after this much silence a host has lost its runs
CONTROL_POLL_SECONDS = 0.5  #: how often an agent reads its control hash: a cancel arrives within 1 s
#: Celery on both sides, as measured on Redis: without these timeouts a worker stays deaf after a network cut;
#: acknowledgement emulation is off because redelivery is never relied on (docs/queue.md).
CELERY_SETTINGS: dict[str, Any] = {
    "broker_transport_options": {
        "ack_emulation": False,
        "priority_steps": [
            0
        ],  # one list for each queue instead of four: priorities are the controller's affair
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    },
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "result_backend": None,
    "result_backend_thread_safe": True,  # else each thread makes the one that keeps nothing for itself
    "task_ignore_result": True,
    "task_acks_late": False,
    "task_send_sent_event": False,
    "worker_send_task_events": False,
    "worker_prefetch_multiplier": 0,
    "worker_enable_remote_control": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_enable_prefetch_count_reduction": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}

REPORT_WINDOW = 200  #: unacknowledged reports an agent puts on the stream at most


def key(host: str, name: str) -> str:
    """The Redis key `name` of a host."""
    return f"h:{host}:{name}"


def offer_message(run: int, fence: int, serial: str) -> dict[str, Any]:
    """The message of an offer: ids only."""
    return celery_message(RUN_TASK, [run, fence, serial])


def celery_message(task: str, arguments: list[Any]) -> dict[str, Any]:
    """A message as Celery's protocol 2 wants it
    (https://docs.celeryq.dev/en/stable/internals/protocol.html#version-2).

    Made by hand because Celery's own publishing takes 1 ms of CPU for each, ten times as much.
    """
    number = str(uuid.uuid4())
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return {
        "body": base64.b64encode(json.dumps([arguments, {}, embed]).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {
            "lang": "py", "task": task, "id": number, "root_id": number, "parent_id": None, "group": None,
            "argsrepr": repr(arguments), "kwargsrepr": "{}",
        },
        "properties": {
            "correlation_id": number, "reply_to": "", "delivery_mode": 2, "priority": 0,
            "delivery_info": {"exchange": "", "routing_key": "runs"}, "body_encoding": "base64",
            "delivery_tag": number,
        },
    }  # fmt: skip


def without_password(url: str) -> str:
    """A Redis address that may be shown."""
    _head, at, tail = url.rpartition("@")
    return f"{url.partition('://')[0]}://…@{tail}" if at else url


def ticket_key(host: str, run: int, fence: int) -> str:
    return key(host, f"ticket:{run}:{fence}")


def screens_key(host: str, digest: str) -> str:
    """Where the screen files with this digest lie: two controllers that have others hide nothing from each other."""
    return key(host, f"screens:{digest}")


#: Redis finds the one word itself: all that INFO says takes twice as long to read.
LIFE = "string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')"
CLOCK = "redis.call('TIME')[1]"


class Moment(NamedTuple):
    """When it is, by Redis alone: the clocks of two machines are never compared."""

    life: str = ""  #: of the server: each start begins another, and may bring back tickets that were taken
    seconds: int = 0  #: by its clock


def moment_of(client: Any) -> Moment:
    """Raises redis errors."""
    life, seconds = client.eval(f"return {{{LIFE}, {CLOCK}}}", 0)
    return Moment(life.decode(), int(seconds))


def take(client: Any, name: str) -> tuple[bytes | None, Moment]:
    """What lies at the key, which only one taker gets, and when it was taken. Raises redis errors."""
    found, life, seconds = client.eval(f"return {{redis.call('GETDEL', KEYS[1]), {LIFE}, {CLOCK}}}", 1, name)
    return found, Moment(life.decode(), int(seconds))


def read_json(text: str | bytes) -> Any:
    """What a text from the wire holds. Raises ValueError where it is no JSON, or nested deeper than Python reads."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


class Wire:
    """JSON for the frozen dataclasses below; an unknown field is ignored, so that versions may differ by one."""

    def to_json(self) -> str:
        return json.dumps(vars(self), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Raises ValueError on anything that is not such an object."""
        return cls.from_dict(read_json(text))

    @classmethod
    def from_dict(cls, data: object) -> Self:
        if not isinstance(data, dict):
            raise ValueError(f"{cls.__name__}: an object was expected")
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}  # type: ignore[attr-defined]
        for name, value in known.items():
            if not _fits(value, str(cls.__dataclass_fields__[name].type)):  # type: ignore[attr-defined]
                raise ValueError(f"{cls.__name__}: {name} is not what it should be")
        try:
            return cls(**known)
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from None


MOST = 2**53  #: numbers beyond are not whole in every JSON reader, and fit in no column


def _fits(value: Any, kind: str) -> bool:
    """Whether a value from the wire is of the kind that the field is annotated with."""
    if kind.endswith(" | None"):
        return value is None or _fits(value, kind.removesuffix(" | None"))
    if kind == "int":
        return is_number(value)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST
    if kind == "list[list[int]]":
        return isinstance(value, list) and all(_is_pair(one) for one in value)
    wanted = {"str": str, "dict": dict, "list": list}[kind.partition("[")[0]]
    return isinstance(value, wanted)


def is_number(value: Any) -> bool:
    """Whether it counts or numbers something."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


@dataclass(frozen=True)
class Credentials:
    """What a login types. TOTP *codes* of the next minutes travel, never the secret they come from."""

    username: str
    email: str = ""
    password: str = field(default="", repr=False)
    codes: list[list[Any]] = field(default_factory=list, repr=False)  #: [[valid from (epoch s), code], ...]


@dataclass(frozen=True)
class Ticket(Wire):
    """The single-use right to start a run, opened by one agent only."""

    run: int
    fence: int
    host: str
    script: str
    serial: str
    app: str = ""  #: empty: the script works on every app (match)
    package: str = ""  #: the account's own package (a clone), else empty
    expires: int = 0  #: the second of Redis' clock after which it may not be started
    seconds: float = 300.0  #: how long the run may last
    account: dict[str, Any] | None = field(default=None, repr=False)  #: the fields of Credentials
    packages: dict[str, list[str]] = field(default_factory=dict)  #: app -> packages to look for (match)
    options: dict[str, Any] = field(default_factory=dict)
    hide: list[str] = field(default_factory=list, repr=False)  #: names of people that no evidence may show
    screens: str = ""  #: which screen files of the operator's it is to go by; empty: the host's own
    life: str = ""  #: of the Redis in which it was put: it is good in no other

    def is_good(self, now: Moment) -> bool:
        """Whether it was put in this life of Redis, and not too long ago."""
        return self.life == now.life and now.seconds <= self.expires

    def by_clock(self, ahead: int) -> Ticket:
        """The same by a clock that is so many seconds ahead of that by which its codes begin; 1 s is but rounding."""
        if abs(ahead) <= 1:
            return self
        codes = [[begins + ahead, code] for begins, code in (self.account or {}).get("codes", [])]
        return replace(self, account={**self.account, "codes": codes}) if self.account and codes else self

    @property
    def credentials(self) -> Credentials | None:
        return Credentials(**self.account) if self.account else None


@dataclass(frozen=True)
class Report(Wire):
    """One thing that happened, numbered by the agent's outbox; applied once per (epoch, seq)."""

    kind: str  #: started, step, finished, abandoned
    run: int
    fence: int
    epoch: str = ""  #: identity of the outbox; a new one starts its numbers at 1
    seq: int = 0
    at: float = 0.0  #: epoch seconds by the agent's clock; shown, never compared
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PhoneState(Wire):
    """A phone as its agent sees it."""

    serial: str
    address: str
    connection: str  #: online, offline, unauthorized
    model: str = ""
    android: str = ""
    battery: int | None = None
    temperature: float | None = None
    usb_path: str = ""


@dataclass(frozen=True)
class Heartbeat(Wire):
    """An agent's word that it lives, what hangs on it and what it has in hand.

    `last_seq` is the outbox' newest number when `in_hand` was read: the list may be held against the database
    only when every report up to that number has been applied.
    """

    host: str
    epoch: str
    number: int
    last_seq: int
    first_seq: int = 1  #: the oldest report still kept; all before it were acknowledged
    nonce: str = ""
    public_key: str = ""  #: X25519, hex
    version: str = ""
    lanes: int = 0
    dropped: int = 0  #: messages on its queue that were no offers
    screens: str = ""  #: hash of the screen files in use
    screen_faults: str = ""  #: what was left out of them, a `file:line: what` a line
    in_hand: list[list[int]] = field(default_factory=list)  #: [[run, fence], ...]
    phones: list[dict[str, Any]] = field(default_factory=list)  #: fields of PhoneState
