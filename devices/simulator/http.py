"""As much HTTP/1.1 as the uiautomator server and the outside control need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}
MAX_BODY = 16 * 1024 * 1024


class Source(Protocol):
    """Where bytes come from."""

    async def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""

    async def read_until(self, mark: bytes) -> bytes:
        """All up to and with `mark`."""


@dataclass
class Request:
    """One request."""

    method: str
    path: str
    body: bytes

    def json(self) -> Any:
        """The body as data. Raises ValueError."""
        return json.loads(self.body or b"null")


async def read_request(source: Source) -> Request:
    """The next request. Raises ValueError when it is none."""
    head = (await source.read_until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
    }
    size = int(headers.get("content-length", "0"))
    if size > MAX_BODY:
        raise ValueError("the body is too long")
    return Request(method, path, await source.read(size) if size else b"")


def response(code: int, body: bytes, kind: str = "application/json") -> bytes:
    """A whole response."""
    head = f"HTTP/1.1 {code} {REASONS[code]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def json_response(code: int, data: Any) -> bytes:
    """A whole response with data."""
    return response(code, json.dumps(data, ensure_ascii=False).encode())
