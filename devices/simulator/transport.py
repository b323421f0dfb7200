"""The ADB transport as a phone speaks it: CNXN, AUTH, OPEN, OKAY, WRTE and CLSE over TCP."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Awaitable, Callable

CNXN, AUTH, OPEN, OKAY, CLSE, WRTE = (
    int.from_bytes(name, "little") for name in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"CLSE", b"WRTE")
)
VERSION = 0x01000001  #: from here on nobody checks sums
MAX_PAYLOAD = 256 * 1024
AUTH_TOKEN, AUTH_SIGNATURE, AUTH_KEY = 1, 2, 3
HEADER = struct.Struct("<6I")

#: No delayed_ack, sendrecv_v2, abb or track_app: the phone would have to speak them.
FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,fixed_push_symlink_timestamp"


class StreamClosed(ConnectionError):
    """The other side has closed the stream."""


class Refused(Exception):
    """The phone has no such service."""


class Stream:
    """One service that the adb server has opened on the phone; reads and writes are flow controlled."""

    def __init__(self, transport: Transport, local: int, remote: int) -> None:
        self.transport, self.local, self.remote = transport, local, remote
        self._buffer = bytearray()
        self._owed = False  #: whether the last WRTE still waits for its OKAY
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._closed = asyncio.Event()
        self._write_lock = asyncio.Lock()

    @property
    def closed(self) -> bool:
        """Whether the other side is gone."""
        return self._closed.is_set()

    def feed(self, data: bytes) -> None:
        """Take what the other side has written."""
        self._buffer += data
        self._owed = True
        self._readable.set()

    def acknowledge(self) -> None:
        """The other side has taken our last write."""
        self._writable.set()

    def shut(self) -> None:
        """Wake whoever waits: the stream is over."""
        for event in (self._closed, self._readable, self._writable):
            event.set()

    async def wait_closed(self) -> None:
        """Return when the other side is gone."""
        await self._closed.wait()

    async def _fill(self) -> None:
        if self._owed:
            self._owed = False
            self.transport.send(OKAY, self.local, self.remote)
        self._readable.clear()
        if self.closed:
            raise StreamClosed
        await self._readable.wait()
        if self.closed and not self._buffer:
            raise StreamClosed

    async def read(self, size: int) -> bytes:
        """Exactly `size` bytes. Raises StreamClosed."""
        while len(self._buffer) < size:
            await self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def read_until(self, mark: bytes) -> bytes:
        """All up to and with `mark`. Raises StreamClosed."""
        while mark not in self._buffer:
            await self._fill()
        return await self.read(self._buffer.index(mark) + len(mark))

    async def write(self, data: bytes) -> None:
        """Return when the other side has taken all of `data`. Raises StreamClosed."""
        async with self._write_lock:
            for start in range(0, len(data), self.transport.payload):
                if self.closed:
                    raise StreamClosed
                self._writable.clear()
                self.transport.send(
                    WRTE, self.local, self.remote, data[start : start + self.transport.payload]
                )
                await self._writable.wait()


Serve = Callable[[str, Stream], Awaitable[None]]


class Transport:
    """One connection of an adb server to a phone."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        banner: str,
        serve: Serve,
        trusted: bool,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._banner, self._serve = banner, serve
        self._trusted = trusted
        self._challenged = False
        self._online = False
        self.payload = MAX_PAYLOAD
        self._streams: dict[int, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 1

    def send(self, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        """Put one message on the wire."""
        if not self._writer.is_closing():
            self._writer.write(HEADER.pack(command, arg0, arg1, len(data), 0, command ^ 0xFFFFFFFF) + data)

    def trust(self) -> None:
        """Accept the key that the adb server has offered."""
        self._trusted = True
        if self._challenged and not self._online:
            self._greet()

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    async def run(self) -> None:
        """Serve the connection until it ends."""
        try:
            while True:
                header = await self._reader.readexactly(HEADER.size)
                command, arg0, arg1, size, _, _ = HEADER.unpack(header)
                data = await self._reader.readexactly(size) if size else b""
                self._take(command, arg0, arg1, data)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._end()

    def _end(self) -> None:
        for stream in self._streams.values():
            stream.shut()
        for task in self._tasks:
            task.cancel()
        self._writer.close()

    def _greet(self) -> None:
        if not self._trusted:
            self._challenged = True
            self.send(AUTH, AUTH_TOKEN, 0, os.urandom(20))
            return
        self._online = True
        self.send(CNXN, VERSION, MAX_PAYLOAD, self._banner.encode())

    def _take(self, command: int, arg0: int, arg1: int, data: bytes) -> None:
        if command == CNXN:
            self.payload = min(arg1, MAX_PAYLOAD)
            self._greet()
        elif command == AUTH and arg0 == AUTH_SIGNATURE:
            self._greet()
        elif command == OPEN and self._online:
            self._open(arg0, data.rstrip(b"\0").decode("utf-8", "replace"))
        elif stream := self._streams.get(arg1):
            self._take_stream(command, stream, data)

    def _take_stream(self, command: int, stream: Stream, data: bytes) -> None:
        if command == WRTE:
            stream.feed(data)
        elif command == OKAY:
            stream.acknowledge()
        elif command == CLSE:
            stream.shut()

    def _open(self, remote: int, service: str) -> None:
        stream = Stream(self, self._next, remote)
        self._next += 1
        self._streams[stream.local] = stream
        task = asyncio.create_task(self._run_service(service, stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_service(self, service: str, stream: Stream) -> None:
        ident = stream.local
        try:
            await self._serve(service, stream)
        except Refused:
            ident = 0
        except StreamClosed:
            pass
        finally:
            self.send(CLSE, ident, stream.remote)
            stream.shut()
            self._streams.pop(stream.local, None)

    def accept(self, stream: Stream) -> None:
        """Tell the other side that its service is open."""
        self.send(OKAY, stream.local, stream.remote)


class Listener:
    """The TCP port of a phone. Closing it cuts every connection; opening it again keeps the port."""

    def __init__(self, port: int, banner: str, serve: Serve) -> None:
        self.port = port
        self.trusted = True
        self._banner, self._serve = banner, serve
        self._server: asyncio.Server | None = None
        self._transports: set[Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen on loopback; a free port is chosen the first time."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Refuse connections and cut the present ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def ended(self) -> None:
        """Return when every connection that was cut has ended."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    def cut(self) -> None:
        """Cut the present connections; the adb server comes back by itself."""
        for transport in list(self._transports):
            transport.abort()

    def trust(self, trusted: bool) -> None:
        """Accept or refuse the keys of adb servers, present connections included."""
        changed, self.trusted = trusted != self.trusted, trusted
        if trusted:
            for transport in self._transports:
                transport.trust()
        elif changed:
            self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = Transport(reader, writer, self._banner, self._serve, self.trusted)
        self._transports.add(transport)
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await transport.run()
        finally:
            self._transports.discard(transport)
