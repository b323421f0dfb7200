"""The services that an adb server may open on a phone: shells, file sync, the uiautomator port."""

from __future__ import annotations

import stat
import struct

from devices.simulator import faults, shell, u2_server
from devices.simulator.device import SimulatedPhone
from devices.simulator.files import File
from devices.simulator.transport import Refused, Stream

FOLDER_MODE = stat.S_IFDIR | 0o771


async def serve(phone: SimulatedPhone, service: str, stream: Stream) -> None:
    """Run one service to its end. Raises Refused for one that the phone has not."""
    name, _, rest = service.partition(":")
    if name.split(",")[0] in ("shell", "exec"):
        await serve_shell(phone, name, rest, stream)
    elif name == "sync":
        stream.transport.accept(stream)
        await serve_sync(phone, stream)
    elif name == "tcp" and rest == str(u2_server.PORT) and phone.u2_running:
        stream.transport.accept(stream)
        await u2_server.serve(phone, stream)
    elif name in ("root", "unroot", "remount"):
        await say(stream, b"adbd cannot run as root in production builds\n")
    elif service == "reverse:list-forward":
        await say(stream, b"OKAY0000")
    else:
        raise Refused


async def say(stream: Stream, text: bytes) -> None:
    """Open the stream, write `text` and be done."""
    stream.transport.accept(stream)
    await stream.write(text)


def framed(kind: int, data: bytes) -> bytes:
    """One packet of the shell protocol, version 2."""
    return struct.pack("<BI", kind, len(data)) + data


async def serve_shell(phone: SimulatedPhone, name: str, command: str, stream: Stream) -> None:
    """A shell command, as plain text or in packets that carry its exit code."""
    stream.transport.accept(stream)
    packed = "v2" in name.split(",")

    async def write(data: bytes) -> None:
        await stream.write(framed(1, data) if packed else data)

    code = await shell.run(phone, command, shell.Session(stream, write))
    if packed:
        await stream.write(framed(3, bytes([code & 0xFF])))


async def serve_sync(phone: SimulatedPhone, stream: Stream) -> None:
    """The file sync protocol until QUIT."""
    while True:
        command, size = struct.unpack("<4sI", await stream.read(8))
        if command == b"QUIT":
            return
        path = (await stream.read(size)).decode("utf-8", "replace")
        handler = SYNC.get(command)
        if handler is None:
            await sync_fail(stream, "unknown command")
            return
        await handler(phone, stream, path)


async def sync_fail(stream: Stream, reason: str) -> None:
    """Tell the other side why a transfer cannot be."""
    data = reason.encode()
    await stream.write(struct.pack("<4sI", b"FAIL", len(data)) + data)


def facts(phone: SimulatedPhone, path: str) -> tuple[int, int, int]:
    """Mode, size and time of a path; zeros when nothing is there."""
    file = phone.files.get(path)
    if file is not None:
        return file.mode, file.size, file.mtime
    return (FOLDER_MODE, 4096, 1) if phone.files.is_folder(path) else (0, 0, 0)


async def sync_stat(phone: SimulatedPhone, stream: Stream, path: str) -> None:
    await stream.write(struct.pack("<4sIII", b"STAT", *facts(phone, path)))


def stat2(ident: bytes, found: tuple[int, int, int]) -> bytes:
    """The longer answer of newer clients; error 2 is ENOENT."""
    mode, size, mtime = found
    error = 0 if mode else 2
    return struct.pack("<4sIQQIIIIQqqq", ident, error, 1, 1, mode, 1, 0, 0, size, mtime, mtime, mtime)


async def sync_stat2(phone: SimulatedPhone, stream: Stream, path: str) -> None:
    await stream.write(stat2(b"STA2", facts(phone, path)))


async def sync_lstat2(phone: SimulatedPhone, stream: Stream, path: str) -> None:
    await stream.write(stat2(b"LST2", facts(phone, path)))


async def sync_list(phone: SimulatedPhone, stream: Stream, path: str) -> None:
    for name in phone.files.names(path):
        data = name.encode()
        await stream.write(struct.pack("<4sIIII", b"DENT", *facts(phone, f"{path}/{name}"), len(data)) + data)
    await stream.write(struct.pack("<4sIIII", b"DONE", 0, 0, 0, 0))


async def sync_list2(phone: SimulatedPhone, stream: Stream, path: str) -> None:
    for name in phone.files.names(path):
        data = name.encode()
        await stream.write(
            stat2(b"DNT2", facts(phone, f"{path}/{name}")) + struct.pack("<I", len(data)) + data
        )
    await stream.write(b"DONE" + bytes(72))


async def sync_send(phone: SimulatedPhone, stream: Stream, target: str) -> None:
    path, _, mode = target.rpartition(",")
    file = File(mode=int(mode) & 0o7777 | stat.S_IFREG)
    while True:
        command, size = struct.unpack("<4sI", await stream.read(8))
        if command == b"DONE":
            break
        file.append(await stream.read(size))
    if phone.fault == faults.STORAGE_FULL:
        await sync_fail(stream, "write failed: No space left on device")
        return
    phone.files.put(path, file)
    await stream.write(struct.pack("<4sI", b"OKAY", 0))


async def sync_receive(phone: SimulatedPhone, stream: Stream, path: str) -> None:
    file = phone.files.get(path)
    if file is None:
        await sync_fail(stream, f"open failed: No such file or directory: {path}")
        return
    for chunk in file.chunks():
        await stream.write(struct.pack("<4sI", b"DATA", len(chunk)) + chunk)
    await stream.write(struct.pack("<4sI", b"DONE", 0))


SYNC = {
    b"STAT": sync_stat,
    b"STA2": sync_stat2,
    b"LST2": sync_lstat2,
    b"LIST": sync_list,
    b"LIS2": sync_list2,
    b"SEND": sync_send,
    b"RECV": sync_receive,
}
