"""Outside control of a farm: HTTP and JSON on loopback.

GET    /phones                    every phone
GET    /phones/SERIAL             one phone
GET    /phones/SERIAL/journal     its touches
PATCH  /phones/SERIAL             {"fault": "offline"} or null, "seconds", "battery", "temperature", "clock",
                                  "signed_in"
POST   /logins                    a login as in the description
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from devices.simulator import http
from devices.simulator.description import DescriptionError, read_login

if TYPE_CHECKING:
    from devices.simulator.farm import Farm


class Client:
    """The bytes of one client."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def read_until(self, mark: bytes) -> bytes:
        return await self._reader.readuntil(mark)


class Control:
    """The HTTP server; every request may come on a connection of its own."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.address = ""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, port: int = 0) -> None:
        """Listen on loopback; `address` says where."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop listening and drop the clients."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                request = await http.read_request(Client(reader))
                writer.write(await self.answer(request))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # gone, or no HTTP
        finally:
            self._writers.discard(writer)
            writer.close()

    async def answer(self, request: http.Request) -> bytes:
        """The response to one request; a wrong one gets its sentence back."""
        parts = [part for part in request.path.split("?")[0].split("/") if part]
        try:
            found = await self._route(request, parts)
        except DescriptionError as error:
            return http.json_response(400, {"error": str(error)})
        except ValueError:
            return http.json_response(400, {"error": "The body is not JSON."})
        return http.json_response(404, {"error": "There is no such page."}) if found is None else found

    async def _route(self, request: http.Request, parts: list[str]) -> bytes | None:
        if parts == ["logins"] and request.method == "POST":
            self.farm.logins.put(read_login(request.json()))
            return http.json_response(200, {})
        if parts == ["phones"] and request.method == "GET":
            return http.json_response(200, self.farm.describe())
        if len(parts) in (2, 3) and parts[0] == "phones" and parts[1] in self.farm.phones:
            return await self._phone(request, parts[1], parts[2:])
        return None

    async def _phone(self, request: http.Request, serial: str, rest: list[str]) -> bytes | None:
        if request.method == "GET" and rest == ["journal"]:
            return http.json_response(200, self.farm.phones[serial].journal.entries())
        if request.method == "PATCH" and not rest:
            await self.farm.apply(serial, changes(request.json()))
        elif request.method != "GET" or rest:
            return None
        one = next(phone for phone in self.farm.describe() if phone["serial"] == serial)
        return http.json_response(200, one)


def changes(data: Any) -> dict[str, Any]:
    """The body of a PATCH. Raises DescriptionError."""
    if not isinstance(data, dict):
        raise DescriptionError("An object was expected.")
    return data
