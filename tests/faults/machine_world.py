"""The world of one example: two agents, two controllers, Redis, the database, three phones, and the clock.

All of it is the product's own code; only Redis, the phones and the delivery of Celery's messages are stood in for.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.models import Account
from accounts.services import NotDeleted, RunsMayStart
from automation import services
from automation.controller.cancels import cancel
from automation.controller.loop import Controller
from automation.controller.wire import DATABASE_AWAY, WIRE_ERRORS
from automation.models import Run
from automation.protocol import key
from devices.models import Device, Host
from tests.faults import machine_stage as stage
from tests.faults.machine_agent import AgentProcess, OneTurn
from tests.faults.machine_books import CANARY, Books, keep_secret
from tests.faults.machine_phones import Rig, Violation
from tests.faults.machine_redis import Client, Server
from tests.faults.machine_strands import Killed, Strand
from tests.faults.machine_trouble import NO_TROUBLE, Trouble

AGENTS = ("A", "B")
SERIALS = ("P1", "P2", "P3")
KEPT_MESSAGES = 20


class World:
    """Everything an example needs, and the verbs that its rules are made of."""

    def __init__(self, clock: stage.Clock, is_shared: bool) -> None:
        """`is_shared`: both agents run on one machine, and see all phones that hang on it."""
        self.clock, self.is_shared = clock, is_shared
        self.server = Server()
        self.books = Books()
        self.folder = Path(tempfile.mkdtemp(dir=stage.FOLDER))
        self.rigs = {serial: Rig(serial) for serial in SERIALS}
        self.agents = {name: self._agent(name) for name in AGENTS}
        self.controllers = [Controller(), Controller()]
        self.messages: list[tuple[str, bytes]] = []  #: delivered or dropped ones, which may come again
        self.sent: list[tuple[str, Any]] = []  #: reports that were on a stream
        self.hosts: dict[int, str] = {}
        self.put_back: Callable[[], None] = lambda: None
        self.next_trouble = NO_TROUBLE  #: of the next request in the web
        self._trouble = NO_TROUBLE
        stage.enter(self)
        self._populate()

    def _agent(self, name: str) -> AgentProcess:
        locks = self.folder / ("locks" if self.is_shared else f"locks-{name}")
        return AgentProcess(name, self.folder / name, locks, self.rigs, self.server, self.books)

    def _populate(self) -> None:
        """Agents up and known, phones seen, an account or two on each phone."""
        for number, rig in enumerate(self.rigs.values()):
            rig.at = set(AGENTS) if self.is_shared else {AGENTS[number % 2]}
        if self.is_shared in stage.ORIGINS:
            self._begin_as_before(stage.ORIGINS[self.is_shared])
        else:
            self._begin()
        self.hosts = dict(Host.objects.values_list("pk", "name"))

    def _begin(self) -> None:
        stage.empty_tables()
        for agent in self.agents.values():
            agent.boot()
            agent.beat()
        self.pass_of(0)
        for agent in self.agents.values():  # learns the controller's key
            agent.beat()
        self._make_runs()
        self.clock.shift(1)
        self.pass_of(0)
        stage.keep_origin(self)

    def _make_runs(self) -> None:
        devices = {device.serial: device for device in Device.objects.all()}
        for number in range(5):
            account = Account.objects.create(
                app="tiktok", username=f"user{number}", password=f"{CANARY}{number}",
                device=devices[SERIALS[number % 3]],
            )  # fmt: skip
            services.enqueue("login", [(account, account.device)], requested_by="ann")

    def _begin_as_before(self, origin: stage.Origin) -> None:
        """The same beginning, copied: it would take a third of an example's time."""
        origin.put_back(self)
        self.clock.shift(1)
        for agent in self.agents.values():
            agent.boot()

    def close(self) -> None:
        for agent in self.agents.values():
            agent.crash()
        stage.leave()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- Redis ---

    def client(self, name: str) -> Client:
        """The end of the process of that name; in place of redis.Redis.from_url."""
        agent = self.agents.get(name)
        if agent is not None:
            return Client(self.server, agent.gate, agent.hear)
        return Client(self.server, self.gate, self._hear)

    def gate(self, when: str, name: str) -> None:
        """Each call of a controller or of the web, to Redis or (name sql) to the database."""
        self._trouble.at_call(self, when, name)

    def _hear(self, name: str, args: tuple[Any, ...], answer: Any) -> None:
        if name == "set" and ":ticket:" in str(args[0]):
            run, fence = str(args[0]).rsplit(":", 2)[1:]
            self.books.ticket_made((int(run), int(fence)))
        if name == "xrange":
            host = str(args[0]).split(":")[1]
            self.sent.extend((host, fields) for _id, fields in answer[-3:])
            del self.sent[:-KEPT_MESSAGES]

    def flush(self) -> None:
        if not self.server.down:
            self.server.flushall()

    def crash(self) -> None:
        """The controller or web process that runs is killed; whoever called it makes a new one."""

    def _sql(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.gate("before", "sql")
        return execute(sql, params, many, context)

    @contextmanager
    def _in_trouble(self, trouble: Trouble) -> Iterator[None]:
        outer, self._trouble = self._trouble, trouble
        try:
            if trouble.kind:
                with connection.execute_wrapper(self._sql):
                    yield
            else:
                yield
        finally:
            self._trouble = outer

    # --- controllers and the web ---

    def pass_of(self, number: int, trouble: Trouble = NO_TROUBLE) -> None:
        """One turn of a controller's loop; where it is killed in it, there is a new one."""
        controller, heard = self.controllers[number], self._heard()
        controller.stop = OneTurn()  # type: ignore[assignment]
        try:
            with self._in_trouble(trouble):
                controller.run()
        except Killed:
            self.restart_controller(number)
        self.books.pass_ended(heard)

    def _heard(self) -> set[int]:
        """Hosts whose heartbeat lies there now."""
        beats = {name for name in AGENTS if self.server.exists(key(name, "beat"))}
        return {pk for pk, name in self.hosts.items() if name in beats}

    def in_web(self, verb: Callable[[], object]) -> bool:
        """A request of a person, in the trouble that comes next; True when it was answered as done."""
        trouble, self.next_trouble = self.next_trouble, NO_TROUBLE
        try:
            with self._in_trouble(trouble):
                verb()
        except (RunsMayStart, NotDeleted, Killed, *WIRE_ERRORS, *DATABASE_AWAY):
            return False
        return True

    def switch(self, account: int, enabled: bool, verb: Callable[[], object]) -> None:
        """Enable or disable: from the answer on, a disabled account starts nothing."""
        if enabled:
            self.books.forbidden.discard(account)
        losses, was_enabled = self.server.losses, Account.objects.filter(pk=account, is_enabled=True).exists()
        done = self.in_web(verb)
        if done and not enabled:
            self.books.forbidden.add(account)
            self._must_have_ended(Run.objects.pending().filter(account=account))
            if was_enabled:  # a file that changes nothing tells nobody anew
                self._must_be_told(Run.objects.active().filter(account=account), losses)

    def end(self, run: Run, verb: Callable[[], object]) -> None:
        """Cancel: when it is answered, a waiting run has ended and the agent of an active one is told."""
        losses = self.server.losses
        if self.in_web(verb):
            mine = Run.objects.filter(pk=run.pk)
            self._must_have_ended(mine.pending())
            self._must_be_told(mine.active(), losses)

    def restart_controller(self, number: int) -> None:
        self.controllers[number] = Controller()

    def _must_have_ended(self, runs: Iterable[Run]) -> None:
        for run in runs:
            raise Violation(f"I9: run {run.pk} waits on after it was canceled or its account disabled")

    def _must_be_told(self, runs: Iterable[Run], losses: int) -> None:
        """Unless Redis lost it meanwhile: then the controller tells again with its next sweep."""
        for run in runs if losses == self.server.losses else []:
            told = json.loads(
                self.server.call("hget", key(self.hosts[run.host_id or 0], "control"), "cancels") or "[]"
            )
            if [run.pk, run.fence] not in told:
                raise Violation(f"I9: the agent of run {run.pk} is not told that it is to end")

    # --- agents ---

    def boot(self, agent: AgentProcess) -> None:
        """Start it; without Redis it ends at once, and its service manager tries again later."""
        try:
            agent.boot()
        except (Killed, *WIRE_ERRORS):
            agent.crash()

    def next_message(self, agent: AgentProcess) -> bytes | None:
        """What the agent's queue gives next; kept, for it may come again."""
        if self.server.down:
            return None
        message: bytes | None = self.server.call("rpop", key(agent.name, "runs"))
        if message is not None:
            keep_secret("a message", base64.b64decode(json.loads(message)["body"]))
            self.messages.append((agent.name, message))
            del self.messages[:-KEPT_MESSAGES]
        return message

    def has_message(self, agent: AgentProcess) -> bool:
        return bool(not self.server.down and self.server.llen(key(agent.name, "runs")))

    def jobs(self) -> list[tuple[AgentProcess, Strand]]:
        """Threads that can go on: those of agents that are not paused."""
        return [(agent, strand) for agent in self.agents.values() if agent.works for strand in agent.jobs]

    def repeat_report(self, chosen: int) -> None:
        """A report that was on a stream comes again."""
        host, fields = self.sent[chosen % len(self.sent)]
        if not self.server.down:
            self.server.call("xadd", key(host, "reports"), fields)

    # --- rows ---

    def runs(self) -> list[Run]:
        return list(Run.objects.order_by("pk").select_related("account", "device", "host"))

    def devices(self) -> list[Device]:
        return list(Device.objects.order_by("pk"))

    def accounts(self) -> list[Account]:
        return list(Account.objects.order_by("pk"))

    def silence(self, agent: AgentProcess) -> None:
        """I8: nobody hears the agent for 30 s while all others work: nothing stays in its hand, and they go on."""
        others = [other for other in self.agents.values() if other is not agent and other.works]
        self.pass_of(0)
        self.clock.shift(31)
        for other in others:
            other.beat()
        self.pass_of(0)
        left = Run.objects.active().filter(host__name=agent.name)
        if left:
            raise Violation(f"I8: host {agent.name} is silent and still has the runs {list(left)}")
        self.clock.shift(6)  # until the second attempts are due
        for other in others:
            other.beat()
        self.pass_of(1)
        for other in others:
            while (message := self.next_message(other)) is not None:
                other.start_job(message)
            for strand in list(other.jobs):
                other.go_on(strand)

    # --- the end of an example ---

    def heal(self) -> None:
        """All that broke works again, and people take their hands off."""
        self.server.down = False
        for agent in self.agents.values():
            agent.is_paused = False
            if not agent.is_alive:
                self.boot(agent)
        for rig in self.rigs.values():
            rig.online = True
        Device.objects.update(health="good", hold="none")

    def settle(self) -> None:
        """Quiet time: everybody works until nothing is left to do. Of what still waits most is canceled first."""
        waiting = Run.objects.pending().select_related("host")
        cancel([run for run in waiting if run.pk % 3], "ann")
        for agent in self.agents.values():
            agent.beat()
        for _turn in range(8):
            self._work_on()
            if self._is_quiet():
                return
            self.clock.shift(6)
        self.clock.shift(25 * 3600)
        for _turn in range(3):
            self._work_on()
            self.clock.shift(6)

    def _is_quiet(self) -> bool:
        """Nothing is unfinished, and nobody has a report that the controller has not acknowledged."""
        if not all(agent.is_alive for agent in self.agents.values()):
            return False  # one died of what it was found at, which is told at the end
        kept = [agent.outbox.snapshot() for agent in self.agents.values()]
        return all(first > last for first, last, _in_hand in kept) and not Run.objects.unfinished().exists()

    def _work_on(self) -> None:
        self.pass_of(0)
        for agent in self.agents.values():
            while (message := self.next_message(agent)) is not None:
                agent.start_job(message)
            self._finish_jobs(agent)
        self.clock.shift(1)
        for agent in self.agents.values():
            agent.beat()

    def _finish_jobs(self, agent: AgentProcess) -> None:
        for _again in range(200):
            for strand in list(agent.jobs):
                agent.go_on(strand, "succeed")
            if not agent.jobs:
                return
            self.clock.shift(0.1)
        raise Violation("I1: a run's thread does not come to its end")
