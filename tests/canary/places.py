"""Every place that is searched: (its name, its bytes)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from PIL import Image

Found = Iterator[tuple[str, bytes]]


def files(folder: Path) -> Found:
    """All files of the run: output of every process, AOF, MONITOR, database with WAL, outboxes, uploads, TMPDIR."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            try:
                yield f"file {path.relative_to(folder)}", path.read_bytes()
            except OSError:
                continue  # gone meanwhile
        yield f"file name in {path.parent.name}", path.name.encode()


def processes(folder: Path) -> Found:
    """Arguments, environment and open but removed files of every process of the run."""
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            environment = (proc / "environ").read_bytes()
            if str(folder).encode() not in environment and int(proc.name) != os.getpid():
                continue
            name = (proc / "comm").read_text().strip()
            yield f"environment of {name}", environment
            yield f"arguments of {name}", (proc / "cmdline").read_bytes()
            yield from _removed_files(proc, name)
        except (OSError, PermissionError):
            continue  # it has ended


def _removed_files(proc: Path, name: str) -> Found:
    for link in (proc / "fd").iterdir():
        target = str(link.readlink())
        if target.endswith("(deleted)") or "memfd:" in target:
            with link.open("rb") as file:
                yield f"removed file of {name}", file.read()


def redis_keys(client: Any) -> Found:
    """Every key as it is, and the whole as an RDB dump holds it."""
    for key in client.scan_iter(count=1000):
        yield f"Redis key {key.decode(errors='replace').partition(':')[0]}", key + b" " + _value(client, key)


def _value(client: Any, key: bytes) -> bytes:
    kind = client.type(key)
    if kind == b"string":
        return bytes(client.get(key) or b"")
    read = {b"hash": client.hgetall, b"set": client.smembers, b"stream": client.xrange}
    if kind == b"list":
        return b"\n".join(client.lrange(key, 0, -1))
    if kind == b"zset":
        return b"\n".join(client.zrange(key, 0, -1))
    return b"\n".join(_flat(read[kind](key)))


def _flat(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        yield from _flat(list(value.items()))
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from _flat(one)


def tables() -> Found:
    """Every value of every table: in the file itself a long one lies in pieces."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            columns = zip(*cursor.fetchall(), strict=True)
            for name, values in zip(names, columns, strict=False):
                yield f"table {table}.{name}", b"\n".join(map(_bytes, values))


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def pictures(pages: Iterable[bytes]) -> Found:
    """What stands in pictures beside the picture: EXIF, comments, texts."""
    for data in pages:
        with Image.open(io.BytesIO(data)) as image:
            known = {**image.info, **getattr(image, "text", {})}
            yield "data of a picture", b"\n".join(map(_bytes, known.values()))
