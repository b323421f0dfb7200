"""Somebody who is signed in and looks at everything that the admin links to."""

from __future__ import annotations

import html
import http.client
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

LINK = re.compile(rb"""\s(?:href|src|action|hx-get|data-url)=["']([^"']+)["']""")
HIDDEN = re.compile(rb'<input[^>]*type="hidden"[^>]*>')
NAMED = re.compile(rb'(name|value)="([^"]*)"')
#: The last two only show the same in another order, or with another way back.
LEFT_ALONE = ("/logout", "/export", "/jsi18n", "/static/", "?o=", "_changelist_filters")


@dataclass(frozen=True)
class Page:
    """What came back."""

    who: str
    what: str
    status: int
    body: bytes

    @property
    def place(self) -> str:
        return f"page of {self.who}: {self.what} ({self.status})"


class Visitor:
    """A user with a session of their own, made as signing in makes it."""

    def __init__(self, user: Any, bind: str) -> None:
        self.name, self.bind = user.get_username(), bind
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["session_started"] = session["session_seen"] = 10**11  # never over
        session.save()
        self.token = uuid.uuid4().hex[:32]
        self.cookies = {
            settings.SESSION_COOKIE_NAME: session.session_key,
            settings.CSRF_COOKIE_NAME: self.token,
        }

    def get(self, path: str, **headers: str) -> Page:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str], files: dict[str, bytes] | None = None) -> Page:
        """A form, with CSRF token and all."""
        fields = {"csrfmiddlewaretoken": self.token, **fields}
        if files is None:
            kind, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        else:
            kind, body = _multipart(fields, files)
        return self._ask("POST", path, body, {"Content-Type": kind})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Page:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(self.bind, timeout=60)
        try:
            head = {"Cookie": cookies, "Referer": f"http://{self.bind}/admin/", **headers}
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            known = repr(sorted(answer.getheaders())).encode()
            return Page(self.name, f"{method} {path}", answer.status, answer.read() + b"\n" + known)
        finally:
            connection.close()

    def everything(self, most_alike: int, more: list[str], keep_on: Callable[[], bool]) -> Iterator[Page]:
        """All that can be reached from the first page by links; of addresses that differ in numbers so many each."""
        waiting, seen, alike = ["/admin/", *more], set[str](), Counter[str]()
        while waiting and keep_on():
            path = waiting.pop(0)
            shape = re.sub(r"\d+|[0-9a-f]{8,}", "N", path.partition("?")[0]) + re.sub(
                r"=[^&]*", "", path.partition("?")[2]
            )
            if path in seen or alike[shape] >= most_alike or any(one in path for one in LEFT_ALONE):
                continue
            seen.add(path)
            alike[shape] += 1
            page = self.get(path)
            yield page
            waiting += _links(page.body, path)


def hidden_fields(page: Page) -> dict[str, str]:
    """The hidden fields of the forms of a page."""
    found = (dict(NAMED.findall(tag)) for tag in HIDDEN.findall(page.body))
    pairs = {
        html.unescape(one.get(b"name", b"").decode()): html.unescape(one.get(b"value", b"").decode())
        for one in found
    }
    return {name: value for name, value in pairs.items() if name and name != "csrfmiddlewaretoken"}


def _links(body: bytes, base: str) -> list[str]:
    found = []
    for link in LINK.findall(body):
        parts = urlsplit(urljoin(base, html.unescape(link.decode("utf-8", "replace"))))
        if not parts.netloc and re.fullmatch(r"/admin/[\w/.%-]*", parts.path):
            is_plain = re.fullmatch(r"[\w=.%+-]+", parts.query)  # one question at a time, or there is no end
            found.append(parts.path + (f"?{parts.query}" if is_plain else ""))
    return found


def _multipart(fields: dict[str, str], files: dict[str, bytes]) -> tuple[str, bytes]:
    edge, parts = uuid.uuid4().hex, list[bytes]()
    for name, value in fields.items():
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, data in files.items():
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="accounts.xlsx"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n")
    return f"multipart/form-data; boundary={edge}", b"".join(parts) + f"--{edge}--\r\n".encode()
