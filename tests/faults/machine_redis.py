"""Redis in memory, by the clock of the test: the few commands that Phonerack uses, with the answers of the real one.

tests/faults/test_machine_redis.py holds it against a real server.
"""

from __future__ import annotations

import copy
import fnmatch
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import redis

Fields = dict[bytes, bytes]
Id = tuple[int, int]


def to_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


class Server:
    """The data. `down` is a server that nobody can reach."""

    def __init__(self) -> None:
        self.down = False
        self.losses = 0  #: how often data were lost
        self.life = 1  #: each start of the server begins another
        self._born: dict[bytes, int] = {}  #: in which life a text was put there
        self._data: dict[bytes, Any] = {}
        self._expires: dict[bytes, float] = {}
        self._last_ids: dict[bytes, Id] = {}

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """The answer of one command. Raises ConnectionError while it is down."""
        if self.down:
            raise redis.ConnectionError("the server is down")
        return getattr(self, name)(*args, **options)

    def keep(self) -> Callable[[], None]:
        """What puts all data back as they are now: a server that comes back with an old file."""
        kept = copy.deepcopy((self._data, self._expires, self._last_ids))

        def put_back() -> None:
            self.losses += 1
            self.life += 1
            self._data, self._expires, self._last_ids = copy.deepcopy(kept)

        return put_back

    def _find(self, key: Any, default: Any = None) -> Any:
        name = to_bytes(key)
        if self._expires.get(name, time.time() + 1) <= time.time():
            self._data.pop(name, None)
            self._expires.pop(name, None)
        return self._data.get(name, default)

    def _drop(self, key: Any) -> bool:
        found = self._find(key) is not None
        self._data.pop(to_bytes(key), None)
        self._expires.pop(to_bytes(key), None)
        return found

    def _drop_if_empty(self, key: Any) -> None:
        if not self._find(key):
            self._drop(key)

    def flushall(self) -> bool:
        self.losses += 1
        self._data.clear()
        self._expires.clear()
        self._last_ids.clear()
        return True

    def eval(self, _script: str, _keys: int, *names: str) -> Any:
        """What `protocol.moment_of` asks; with a key, `protocol.take`."""
        now = [f"life {self.life}".encode(), str(int(time.time())).encode()]
        return [self.getdel(names[0]), *now] if names else now

    def is_of_the_past(self, key: Any) -> bool:
        """Whether what lay there came back with old data."""
        return self._born.get(to_bytes(key)) != self.life

    # --- strings ---

    def set(self, key: Any, value: Any, ex: int | None = None, nx: bool = False) -> bool | None:
        if nx and self._find(key) is not None:
            return None
        self._data[to_bytes(key)] = to_bytes(value)
        self._born[to_bytes(key)] = self.life
        self._expires.pop(to_bytes(key), None)
        if ex is not None:
            self.expire(key, ex)
        return True

    def get(self, key: Any) -> bytes | None:
        found: bytes | None = self._find(key)
        return found

    def getdel(self, key: Any) -> bytes | None:
        found: bytes | None = self._find(key)
        self._drop(key)
        return found

    def mget(self, keys: Any, *more: Any) -> list[bytes | None]:
        names = [*(keys if isinstance(keys, list | tuple) else [keys]), *more]
        return [self.get(name) for name in names]

    def delete(self, *keys: Any) -> int:
        return sum([self._drop(key) for key in keys])

    def exists(self, *keys: Any) -> int:
        return sum(self._find(key) is not None for key in keys)

    def expire(self, key: Any, seconds: int) -> bool:
        if self._find(key) is None:
            return False
        self._expires[to_bytes(key)] = time.time() + seconds
        return True

    def scan_iter(self, match: str, count: int | None = None) -> Iterable[bytes]:
        return iter([name for name in list(self._data) if self._matches(name, match)])

    def _matches(self, name: bytes, pattern: str) -> bool:
        return fnmatch.fnmatchcase(name.decode(errors="replace"), pattern) and self._find(name) is not None

    # --- hashes ---

    def hset(
        self, key: Any, field: Any = None, value: Any = None, mapping: Mapping[Any, Any] | None = None
    ) -> int:
        pairs = {**({} if field is None else {field: value}), **(mapping or {})}
        held = self._find(key)
        if held is None:
            held = self._data[to_bytes(key)] = {}
        before = len(held)
        held.update({to_bytes(name): to_bytes(one) for name, one in pairs.items()})
        return len(held) - before

    def hget(self, key: Any, field: Any) -> bytes | None:
        found: bytes | None = self._find(key, {}).get(to_bytes(field))
        return found

    def hgetall(self, key: Any) -> Fields:
        return dict(self._find(key, {}))

    def hdel(self, key: Any, *fields: Any) -> int:
        held = self._find(key, {})
        gone = sum(held.pop(to_bytes(field), None) is not None for field in fields)
        self._drop_if_empty(key)
        return gone

    # --- lists ---

    def lpush(self, key: Any, *values: Any) -> int:
        held = self._list(key)
        for value in values:
            held.insert(0, to_bytes(value))
        return len(held)

    def rpush(self, key: Any, *values: Any) -> int:
        held = self._list(key)
        held.extend(to_bytes(value) for value in values)
        return len(held)

    def _list(self, key: Any) -> list[bytes]:
        held: list[bytes] | None = self._find(key)
        if held is None:
            held = self._data[to_bytes(key)] = []
        return held

    def rpop(self, key: Any) -> bytes | None:
        held = self._find(key)
        if not held:
            return None
        value: bytes = held.pop()
        self._drop_if_empty(key)
        return value

    def llen(self, key: Any) -> int:
        return len(self._find(key, []))

    def lrange(self, key: Any, first: int, last: int) -> list[bytes]:
        held = self._find(key, [])
        return list(held[first : len(held) if last == -1 else last + 1])

    def ltrim(self, key: Any, first: int, last: int) -> bool:
        if self._find(key) is not None:
            self._data[to_bytes(key)] = self.lrange(key, first, last)
            self._drop_if_empty(key)
        return True

    # --- streams ---

    def xadd(
        self, key: Any, fields: Mapping[Any, Any], maxlen: int | None = None, approximate: bool = True
    ) -> bytes:
        name = to_bytes(key)
        entries = self._find(key)
        if entries is None:
            entries = self._data[name] = []
            self._last_ids.pop(name, None)
        number = self._last_ids[name] = self._next_id(name)
        entries.append((number, {to_bytes(field): to_bytes(value) for field, value in fields.items()}))
        if maxlen is not None and not approximate:  # by its default Redis trims whole blocks of 100 only
            del entries[: max(0, len(entries) - maxlen)]
        return _shown(number)

    def _next_id(self, name: bytes) -> Id:
        last, now = self._last_ids.get(name, (0, 0)), int(time.time() * 1000)
        return (now, 0) if now > last[0] else (last[0], last[1] + 1)

    def xlen(self, key: Any) -> int:
        return len(self._find(key, []))

    def xrange(
        self, key: Any, first: str = "-", last: str = "+", count: int | None = None
    ) -> list[tuple[bytes, Fields]]:
        if (first, last) != ("-", "+"):
            raise NotImplementedError("only a whole stream")
        return [(_shown(number), dict(fields)) for number, fields in self._find(key, [])[:count]]

    def xdel(self, key: Any, *ids: Any) -> int:
        gone = {_parsed(one) for one in ids}
        entries = self._find(key, [])
        kept = [entry for entry in entries if entry[0] not in gone]
        count = len(entries) - len(kept)
        if count:
            self._data[to_bytes(key)] = kept  # an empty stream stays, as in Redis
        return count

    def xread(self, streams: Mapping[Any, Any], count: int | None = None, block: int | None = None) -> Any:
        """It never waits: time does not go on while the test does nothing."""
        found = []
        for key, after in streams.items():
            last = self._last_ids.get(to_bytes(key), (0, 0)) if after in ("$", b"$") else _parsed(after)
            entries = [
                (_shown(number), dict(fields)) for number, fields in self._find(key, []) if number > last
            ]
            if entries:
                found.append([to_bytes(key), entries[:count]])
        return found


def _shown(number: Id) -> bytes:
    return b"%d-%d" % number


def _parsed(text: Any) -> Id:
    first, _, second = to_bytes(text).partition(b"-")
    return int(first), int(second or 0)


#: Called before and after each command of a client, with the command's name: where trouble is made.
Gate = Callable[[str, str], None]
#: Called with a command's name, its arguments and its answer.
Ear = Callable[[str, tuple[Any, ...], Any], None]


class Client:
    """One process' end of the server: every command goes through its gate."""

    def __init__(self, server: Server, gate: Gate, ear: Ear) -> None:
        self.server, self._gate, self._ear = server, gate, ear

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def command(*args: Any, **options: Any) -> Any:
            return self.run([(name, args, options)])[0]

        return command

    def get_connection_kwargs(self) -> dict[str, Any]:
        return {"host": "machine", "port": 6379}

    def pipeline(self, transaction: bool = True) -> Pipeline:
        return Pipeline(self)

    def run(self, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> list[Any]:
        """The answers of commands that go out together."""
        names = "+".join(name for name, _args, _options in calls)
        self._gate("before", names)
        answers = [self._one(*call) for call in calls]
        self._gate("after", names)
        return answers

    def _one(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        answer = self.server.call(name, *args, **options)
        self._ear(name, args, answer)
        return answer


class Pipeline:
    """Commands that go out together, at `execute`."""

    def __init__(self, client: Client) -> None:
        self._client, self._calls = client, list[tuple[str, tuple[Any, ...], dict[str, Any]]]()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_error: object) -> None:
        self._calls = []

    def __len__(self) -> int:
        return len(self._calls)

    def __getattr__(self, name: str) -> Callable[..., Pipeline]:
        def command(*args: Any, **options: Any) -> Pipeline:
            self._calls.append((name, args, options))
            return self

        return command

    def execute(self) -> list[Any]:
        calls, self._calls = self._calls, []
        return self._client.run(calls)
