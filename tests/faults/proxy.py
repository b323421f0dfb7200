"""A TCP proxy whose network can be cut, slowed down, half opened and reset: it stands between an agent and Redis."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any

PASS = "pass"
CUT = "cut"  #: connections are closed, and new ones too
RESET = "reset"  #: the same with RST, as a firewall does
SILENT = "silent"  #: half open: connections stay, nothing comes through
DEAF = "deaf"  #: what the agent says arrives, the answer does not
SLOW = "slow"  #: every piece takes SLOW_SECONDS
LOST = "lost"  #: connections stay and are dead for good, as after a router's restart; new ones are well
MODES = (CUT, RESET, SILENT, DEAF, SLOW, LOST)
SLOW_SECONDS = 0.3
CHUNK = 65536


class Proxy:
    """One listening port; `mode` may be changed from any thread and holds for old connections too."""

    def __init__(self, target: int) -> None:
        self.port, self._target = 0, target
        self._mode, self._changed = PASS, asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(self._listen())

    @property
    def mode(self) -> str:
        return self._mode

    def set(self, mode: str) -> None:
        """Change what the network does, from now on."""
        self._call(self._set(mode))

    def close(self) -> None:
        """Close everything."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _set(self, mode: str) -> None:
        self._mode = mode
        self._changed.set()
        self._changed = asyncio.Event()
        if mode in (CUT, RESET):
            self._drop_all()
        if mode == LOST:
            self._lost |= self._writers

    async def _close(self) -> None:
        self._server.close()
        self._drop_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _drop_all(self) -> None:
        for writer in self._writers:
            if self._mode == RESET:
                linger = struct.pack("ii", 1, 0)  # close() then sends RST
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._mode not in (CUT, RESET):
                await self._between(reader, writer)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers.add(back)
        ways = [asyncio.create_task(self._carry(reader, back, SILENT)),
                asyncio.create_task(self._carry(there, writer, SILENT, DEAF))]  # fmt: skip
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.discard(back)
            back.transport.abort()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *stopped_by: str
    ) -> None:
        """One way, until it ends. What came while it was stopped is never delivered, as on a dead link."""
        while data := await source.read(CHUNK):
            if sink in self._lost:
                await asyncio.Event().wait()  # until the proxy is closed
            if self._mode in stopped_by:
                await self._link_is_dead()
            if self._mode == SLOW:
                await asyncio.sleep(SLOW_SECONDS)
            sink.write(data)
            await sink.drain()

    async def _link_is_dead(self) -> None:
        """A byte was lost, so this connection never works again; it stays open as long as the mode holds."""
        await self._changed.wait()
        raise ConnectionAbortedError
