"""Leaks made on purpose, each in another place and form: what finds none of them may have looked nowhere."""

from __future__ import annotations

import base64
import html
import io
import json
import sqlite3
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from PIL import Image

from accounts.admin import AccountAdmin
from automation.models import Evidence, Run
from tests.canary.scanner import Scanner
from tests.canary.stage import HOST

if TYPE_CHECKING:
    from tests.canary.play import Play

#: What a careless process does: it takes the text from its environment, tells it in an error and hides it in a file.
CARELESS = """
import os, sys, tempfile, time, traceback
text = os.environ["LEAK_IN_OUTPUT"]
hidden = tempfile.TemporaryFile()
hidden.write(os.environ["LEAK_IN_REMOVED_FILE"].encode().hex().encode())
hidden.flush()
try:
    raise ValueError(text)
except ValueError:
    traceback.print_exc()
print("ready", flush=True)
time.sleep(600)
"""


@dataclass(frozen=True)
class Leak:
    """One leak: what it is called, where it must be found, and how it is made."""

    name: str
    place: str  #: part of the name of the place
    plant: Callable[[Play, str], None]

    def text(self, play: Play) -> str:
        """What leaks: a marked password of its own."""
        return play.marks.password(f"leak-{LEAKS.index(self)}")

    def scanner(self, play: Play) -> Scanner:
        """One that knows nothing but this."""
        return Scanner({self.name: self.text(play).partition("#")[0]})


def plant_and_find(play: Play) -> dict[str, bool]:
    """Each leak -> whether it was found where it was made."""
    play.pages.clear()
    for leak in LEAKS:
        leak.plant(play, leak.text(play))
    found, scanners = dict.fromkeys((leak.name for leak in LEAKS), False), {}
    for place, data in _everywhere(play):
        for leak in LEAKS:
            if not found[leak.name] and leak.place in place:
                scanner = scanners.setdefault(leak.name, leak.scanner(play))
                found[leak.name] = bool(scanner.search(place, data))
    return found


def _everywhere(play: Play) -> Iterator[tuple[str, bytes]]:
    yield from ((page.place, page.body) for page in play.pages)
    yield from play.places()


# --- Redis and Celery


def _key(play: Play, text: str) -> None:
    play.stage.redis.set("planted:key", json.dumps({"pwd": text}))


def _forgotten_key(play: Play, text: str) -> None:
    """In no key any more, but in the file of commands."""
    play.stage.redis.set("planted:forgotten", base64.b64encode(b"x" + text.encode()))
    play.stage.redis.delete("planted:forgotten")


def _event(play: Play, text: str) -> None:
    """An event of Celery, which nothing keeps."""
    event = {"type": "task-received", "kwargs": repr({"password": text})}
    play.stage.redis.publish("/0.celeryev/task.received", json.dumps(event))


def _result(play: Play, text: str) -> None:
    result = {"status": "FAILURE", "result": {"exc_message": [repr(ValueError(text))]}}
    play.stage.redis.set(f"celery-task-meta-{uuid.uuid4()}", json.dumps(result))


def _message(play: Play, text: str) -> None:
    body = base64.b64encode(json.dumps([[7], {"password": text}, {}]).encode()).decode()
    play.stage.redis.lpush("planted-queue", json.dumps({"body": body, "headers": {}}))


def _dumped(play: Play, text: str) -> None:
    play.stage.redis.hset("planted:dumped", "field", text.encode().hex())


# --- processes


def _process(play: Play, _text: str) -> None:
    """One process with three leaks: in its output, in an open file without a name, in its environment."""
    texts = {leak.name: leak.text(play) for leak in LEAKS}
    env = {
        "LEAK_IN_OUTPUT": texts["an error in the output of a process"],
        "LEAK_IN_REMOVED_FILE": texts["an open file that was removed"],
        "LEAK_IN_ENVIRONMENT": base64.urlsafe_b64encode(
            texts["the environment of a process"].encode()
        ).decode(),
    }
    log = play.folder / "careless.log"
    play.stage.start("careless", "-c", CARELESS, texts["the arguments of a process"], **env)
    play.stage.until("the careless process", lambda: b"ready" in log.read_bytes(), 30)


def _with_the_process(_play: Play, _text: str) -> None:
    """Made by _process."""


# --- the database


def _a_run() -> Run:
    run = Run.objects.filter(evidence__isnull=False).order_by("pk").first()
    assert run is not None
    return run


def _run_message(_play: Play, text: str) -> None:
    Run.objects.filter(pk=_a_run().pk).update(message=html.escape(text))


def _step(play: Play, text: str) -> None:
    """Shown on the page of the run to one who may only look."""
    event = _a_run().events.order_by("pk").first()
    type(event).objects.filter(pk=event.pk).update(detail=text)
    looks = next(one for one in play.visitors if one.name == "looks")
    play.pages.append(looks.get(f"/admin/automation/run/{_a_run().pk}/change/"))


def _evidence_dump(_play: Play, text: str) -> None:
    attribute = html.escape(text).encode("ascii", "xmlcharrefreplace").decode()
    Evidence.objects.filter(run=_a_run()).update(dump=f'<node text="{attribute}"/>')


def _picture(_play: Play, text: str) -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x9C9C] = text.encode("utf-16-le")  # XPComment
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    Evidence.objects.filter(run=_a_run()).update(screenshot=out.getvalue())


def _session(_play: Play, text: str) -> None:
    session = SessionStore()
    session["preview"] = [text] * 20  # so long that Django packs it
    session.save()


def _log_entry(_play: Play, text: str) -> None:
    user = User.objects.get(username="boss")
    LogEntry.objects.create(
        user=user, object_repr="x", action_flag=CHANGE, change_message=json.dumps({"changed": text})
    )
    connection.close()


# --- the web, files and the agent's disk


def _access_log(play: Play, text: str) -> None:
    play.pages.append(
        play.boss.get("/admin/accounts/account/?q=" + "".join(f"%{byte:02x}" for byte in text.encode()))
    )


def _patched_export(play: Play, text: str) -> None:
    """The export with its check taken out, as one who may only look gets it."""
    from accounts.models import Account

    account = Account.objects.order_by("pk").first()
    assert account is not None
    account.password = text
    account.save()
    kept = AccountAdmin.get_export_resource_kwargs
    AccountAdmin.get_export_resource_kwargs = lambda *_args, **_more: {"with_passwords": True}  # type: ignore[method-assign]
    try:
        client = Client(headers={"host": "localhost"})
        client.force_login(User.objects.get(username="looks"))
        answer = client.get("/admin/accounts/account/export/")
        play.note_page("looks", "export with its check taken out", answer.status_code, answer.content)
    finally:
        AccountAdmin.get_export_resource_kwargs = kept  # type: ignore[method-assign]


def _temporary_file(play: Play, text: str) -> None:
    with zipfile.ZipFile(play.folder / "tmp" / "upload.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", f"<t>{html.escape(text)}</t>" * 20)


def _upload(play: Play, text: str) -> None:
    (play.folder / "uploads").mkdir(exist_ok=True)
    (play.folder / "uploads" / uuid.uuid4().hex).write_bytes(text.encode("utf-16"))


def _file_name(play: Play, text: str) -> None:
    (play.folder / "tmp" / text.encode().hex().upper()).touch()


def _outbox(play: Play, text: str) -> None:
    path = play.folder / "agents" / HOST / "outbox.sqlite3"
    with sqlite3.connect(path, timeout=20) as database:
        body = json.dumps({"kind": "planted", "message": text}, ensure_ascii=False)
        database.execute("CREATE TABLE IF NOT EXISTS planted (body TEXT)")
        database.execute("INSERT INTO planted VALUES (?)", [body])
    database.close()


LEAKS: list[Leak] = [
    Leak("a key of Redis", "Redis key planted", _key),
    Leak("a key that is no longer in Redis", "appendonlydir", _forgotten_key),
    Leak("an event of Celery", "monitor.txt", _event),
    Leak("a result of Celery", "Redis key celery-task-meta", _result),
    Leak("a message of Celery", "Redis key planted-queue", _message),
    Leak("a dump of Redis", "dump.rdb", _dumped),
    Leak("an error in the output of a process", "careless.log", _process),
    Leak("an open file that was removed", "removed file of", _with_the_process),
    Leak("the environment of a process", "environment of", _with_the_process),
    Leak("the arguments of a process", "arguments of", _with_the_process),
    Leak("the message of a run", "table automation_run.message", _run_message),
    Leak("a step of a run on its page", "page of looks", _step),
    Leak("a screen dump", "table automation_evidence.dump", _evidence_dump),
    Leak("a comment in a picture", "data of a picture", _picture),
    Leak("a session", "table django_session", _session),
    Leak("the admin's log", "table django_admin_log", _log_entry),
    Leak("the log of the web", "web.log", _access_log),
    Leak("the export of one who may not", "export with its check taken out", _patched_export),
    Leak("a temporary file", "tmp/upload.xlsx", _temporary_file),
    Leak("the disk of an agent", f"agents/{HOST}", _outbox),
    Leak("an upload", "uploads/", _upload),
    Leak("the name of a file", "file name in tmp", _file_name),
]
