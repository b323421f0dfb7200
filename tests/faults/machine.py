"""The state machine: any order of what people, processes and faults may do, with the promise held against it.

`python -m tests.faults.machine_main --help`; docs/proofs.md says what it does and how a finding is read.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts import services as accounts
from automation import services
from automation.controller.cancels import cancel
from devices import services as devices
from devices.choices import Health, Hold
from devices.models import Device
from tests.faults import machine_stage as stage
from tests.faults.machine_agent import AgentProcess
from tests.faults.machine_books import read_rows
from tests.faults.machine_choices import (
    ORDERS,
    Deed,
    agent_trouble,
    calls,
    controller_trouble,
    named,
    one_of_all,
    one_or_other,
    pick,
    which,
)
from tests.faults.machine_imports import import_account
from tests.faults.machine_phones import Violation
from tests.faults.machine_trouble import NO_TROUBLE, Trouble
from tests.faults.machine_world import AGENTS, SERIALS, World

CLOCK: list[stage.Clock] = []  #: set by whoever runs the machine (machine_main.py)


class Machine(RuleBasedStateMachine):
    """The rules. Numbers choose among what there is at that moment.

    They are few, each with many cases, because hypothesis leaves out half of the rules of every example.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.imports = 0
        self.waited = self.silenced = False

    @initialize(
        is_shared=st.booleans(), taken=st.integers(0, 3), touches=st.integers(0, 2), is_heard=st.booleans()
    )
    def begin(self, is_shared: bool, taken: int, touches: int, is_heard: bool) -> None:
        """Five runs wait, three of them are offered; some are taken, under way, and known to be."""
        self.world = World(CLOCK[0], is_shared)
        for number in range(taken):
            self._deliver(number)
        for agent, strand in self.w.jobs() * touches:
            agent.go_on(strand)
        if is_heard:
            self._offer(0)

    @property
    def w(self) -> World:
        if self.world is None:
            raise AssertionError("the example has not begun")
        return self.world

    def _agent(self, chosen: int) -> AgentProcess:
        return self.w.agents[AGENTS[chosen % len(AGENTS)]]

    # --- a day's work ---

    @rule(chosen=one_of_all)
    def work(self, chosen: int) -> None:
        """Whoever has something to do does it."""
        self.waited = False
        self.w.clock.shift(0.3)
        pick(self._to_do(), chosen)()

    # Under several names, so that hardly an example goes without.
    work_on = rule(chosen=one_of_all)(named("work_on", work))
    work_more = rule(chosen=one_of_all)(named("work_more", work))
    work_still = rule(chosen=one_of_all)(named("work_still", work))

    @rule(chosen=one_of_all, order=st.sampled_from(ORDERS))
    @precondition(lambda self: self.world and self.world.jobs())
    def step(self, chosen: int, order: str) -> None:
        self._step(chosen, order)

    def _to_do(self) -> list[Deed]:
        """Who could do something now: agents, threads of agents, controllers, people who want a run."""
        w = self.w
        found: list[Deed] = [partial(self._pass, 0), partial(self._pass, 1), partial(self._offer, 0)]
        if not w.books.waiting:
            found += [partial(self._login, number) for number in range(3)]
        return found + self._agents_to_do()

    def _agents_to_do(self) -> list[Deed]:
        w, found = self.w, list[Deed]()
        for number, agent in enumerate(w.agents.values()):
            if not agent.is_alive:
                found += [partial(self._boot, number)]
            elif agent.is_paused:
                found += [partial(self._pause_or_continue, number)]
            else:
                found += [partial(self._beat, number)] + [partial(self._deliver, number)] * 3 * w.has_message(
                    agent
                )
        for number in range(len(w.jobs())):
            found += [partial(self._step, number)] * 2 + [partial(self._finish, number)]
        return found

    def _step(self, chosen: int, order: str = "") -> None:
        """A thread of an agent goes on to its next touch."""
        jobs = self.w.jobs()
        if jobs:
            agent, strand = pick(jobs, chosen)
            agent.go_on(strand, order)

    def _finish(self, chosen: int) -> None:
        """A run goes to its end, unless something is in its way."""
        for agent, strand in self.w.jobs()[chosen : chosen + 1]:
            for _again in range(10):
                if strand.at in ("touch", "open", "call"):
                    agent.go_on(strand, "succeed")

    def _offer(self, _chosen: int) -> None:
        """A whole way: the agents are heard, a controller offers, they take."""
        for number in (0, 1):
            self._beat(number)
        self.w.pass_of(0)
        for number in (0, 1):
            self._deliver(number)

    def _pass(self, chosen: int) -> None:
        self.w.pass_of(chosen % 2)

    def _beat(self, chosen: int) -> None:
        agent = self._agent(chosen)
        if agent.works:
            agent.beat()

    def _deliver(self, chosen: int) -> None:
        agent = self._agent(chosen)
        message = self.w.next_message(agent) if agent.works else None
        if message is not None:
            agent.start_job(message)

    # --- people ---

    asks = st.sampled_from(
        ["login", "match", "anywhere", "urgent", "disable", "disable", "enable", "cancel", "cancel", "delete",
         "hold", "release", "quarantine", "good"]
    )  # fmt: skip

    @rule(what=asks, chosen=which)
    def person(self, what: str, chosen: int) -> None:
        getattr(self, f"_{what}")(chosen)

    @rule(
        what=st.sampled_from(["disable", "cancel", "login", "delete"]),
        chosen=which,
        trouble=controller_trouble,
    )
    def person_in_trouble(self, what: str, chosen: int, trouble: tuple[str, int]) -> None:
        """The web process dies or is cut off in the midst of a request."""
        self.w.next_trouble = Trouble(*trouble)
        getattr(self, f"_{what}")(chosen)

    @rule(chosen=which, device=which, status=one_or_other)
    @precondition(lambda self: self.imports < 1)
    def import_file(self, chosen: int, device: int, status: int) -> None:
        """A file disables or enables an account, and puts it on another phone."""
        account, self.imports = pick(self.w.accounts(), chosen), self.imports + 1
        serial = SERIALS[device % len(SERIALS)]
        self.w.switch(account.pk, not status, partial(import_account, account, serial, status))

    def _login(self, chosen: int, priority: int = 0) -> None:
        account = pick(self.w.accounts(), chosen)
        self._enqueue("login", (account, account.device), priority=priority)

    def _urgent(self, chosen: int) -> None:
        self._login(chosen, priority=50)
        self.w.pass_of(1)

    def _match(self, chosen: int) -> None:
        self._enqueue("match", (None, pick(self.w.devices(), chosen)))

    def _anywhere(self, _chosen: int) -> None:
        """On whichever phone has the least to do."""
        self._enqueue("match", (None, None), any_device=True)

    def _enqueue(self, script: str, target: Any, **options: Any) -> None:
        self.w.in_web(lambda: services.enqueue(script, [target], requested_by="ann", **options))

    def _disable(self, chosen: int) -> None:
        account = pick(self.w.accounts(), chosen)
        self.w.switch(account.pk, False, lambda: accounts.set_enabled([account], False, "ann"))

    def _enable(self, chosen: int) -> None:
        account = pick(self.w.accounts(), chosen)
        self.w.switch(account.pk, True, lambda: accounts.set_enabled([account], True, "ann"))

    def _cancel(self, chosen: int) -> None:
        rows = [run for run in self.w.runs() if run.state != "finished"]
        if rows:
            run = pick(rows, chosen)
            self.w.end(run, lambda: cancel([run], "ann"))

    def _delete(self, chosen: int) -> None:
        rows = self.w.accounts()
        if len(rows) > 2:
            self.w.in_web(pick(rows, chosen).delete)

    def _hold(self, chosen: int) -> None:
        Device.objects.filter(pk=pick(self.w.devices(), chosen).pk).update(hold=Hold.PERSON)

    def _release(self, chosen: int) -> None:
        devices.release([pick(self.w.devices(), chosen)])

    def _quarantine(self, chosen: int) -> None:
        devices.set_health([pick(self.w.devices(), chosen)], Health.QUARANTINED)

    def _good(self, chosen: int) -> None:
        devices.set_health([pick(self.w.devices(), chosen)], Health.GOOD)

    # --- controllers and agents, in trouble ---

    @rule(number=one_or_other, trouble=controller_trouble)
    def controller_in_trouble(self, number: int, trouble: tuple[str, int]) -> None:
        self.w.clock.shift(1)
        self.w.pass_of(number, Trouble(*trouble))

    between = st.sampled_from(
        [
            "pass",
            "beat",
            "step",
            "finish",
            "deliver",
            "disable",
            "cancel",
            "urgent",
            "flush",
            "delete",
            "hold",
        ]
    )

    @rule(number=calls, what=between, chosen=which)
    def controller_meanwhile(self, number: int, what: str, chosen: int) -> None:
        """Somebody else does something between two calls of a controller."""
        self.w.clock.shift(0.5)
        self.w.pass_of(0, Trouble("meanwhile", number, partial(getattr(self, f"_{what}"), chosen | 1)))

    @rule(
        what=st.sampled_from(["disable", "cancel", "delete"]),
        chosen=which,
        number=st.integers(1, 16),
        other=between,
    )
    def person_meanwhile(self, what: str, chosen: int, number: int, other: str) -> None:
        """Somebody else does something in the midst of a request."""
        self.w.next_trouble = Trouble("meanwhile", number, partial(getattr(self, f"_{other}"), chosen))
        getattr(self, f"_{what}")(chosen)

    @rule(chosen=one_of_all, trouble=agent_trouble)
    def agent_in_trouble(self, chosen: int, trouble: tuple[str, int]) -> None:
        """An agent is killed, cut off or slow in the midst of something."""
        self.w.clock.shift(0.4)
        for agent in self.w.agents.values():
            agent.trouble = Trouble(*trouble)
        pick(self._agents_to_do() or [partial(self._offer, 0)], chosen)()
        for agent in self.w.agents.values():
            agent.trouble = NO_TROUBLE

    def _boot(self, chosen: int) -> None:
        agent = self._agent(chosen)
        if not agent.is_alive:
            self.w.boot(agent)

    # --- faults ---

    faults = st.sampled_from(
        ["flush", "flush", "redis_away_or_back", "keep_redis", "put_back_redis", "restart_controller", "crash",
         "cut_power", "boot", "pause_or_continue", "unplug_or_plug_in", "move"]
    )  # fmt: skip

    @rule(what=faults, chosen=which)
    def fault(self, what: str, chosen: int) -> None:
        getattr(self, f"_{what}")(chosen)

    def _flush(self, _chosen: int) -> None:
        self.w.flush()

    def _redis_away_or_back(self, _chosen: int) -> None:
        self.w.server.down = not self.w.server.down

    def _keep_redis(self, _chosen: int) -> None:
        self.w.put_back = self.w.server.keep()

    def _put_back_redis(self, _chosen: int) -> None:
        """Redis comes back as it was some time ago."""
        self.w.put_back()

    def _restart_controller(self, chosen: int) -> None:
        self.w.restart_controller(chosen % 2)

    def _crash(self, chosen: int) -> None:
        self._agent(chosen).crash()

    def _cut_power(self, chosen: int) -> None:
        self._agent(chosen).cut_power()

    def _pause_or_continue(self, chosen: int) -> None:
        agent = self._agent(chosen)
        agent.is_paused = agent.is_alive and not agent.is_paused

    def _unplug_or_plug_in(self, chosen: int) -> None:
        rig = self.w.rigs[SERIALS[chosen % len(SERIALS)]]
        rig.online = not rig.online

    def _move(self, chosen: int) -> None:
        """The phone's cable goes into the other host."""
        if not self.w.is_shared:
            rig = self.w.rigs[SERIALS[chosen % len(SERIALS)]]
            rig.at = {name for name in AGENTS if name not in rig.at}

    @rule(what=st.sampled_from(["drop", "again", "again", "repeat_report"]), chosen=which)
    def message(self, what: str, chosen: int) -> None:
        getattr(self, f"_{what}")(chosen)

    def _drop(self, chosen: int) -> None:
        self.w.next_message(self._agent(chosen))

    def _again(self, chosen: int) -> None:
        """A message is delivered once more."""
        if self.w.messages:
            name, message = pick(self.w.messages, chosen)
            if self.w.agents[name].works:
                self.w.agents[name].start_job(message)

    def _repeat_report(self, chosen: int) -> None:
        if self.w.sent:
            self.w.repeat_report(chosen)

    @rule(chosen=which, kind=st.sampled_from(["finished", "started"]), run=which, back=one_or_other)
    def stale_report(self, chosen: int, kind: str, run: int, back: int) -> None:
        """An agent reports under a fence of the past, or about a run that another one has."""
        agent, rows = self._agent(chosen), read_rows()
        row = pick(rows, run) if rows else None
        if (
            row
            and agent.works
            and row.fence >= back
            and (back or self.w.hosts.get(row.host or 0) != agent.name)
        ):
            agent.outbox.add(kind, row.id, row.fence - back, {"outcome": "succeeded", "reason": "stale"})

    # --- time ---

    @rule(seconds=st.sampled_from([0.2, 1.0, 3.5, 6.0, 9.0, 11.0, 11.0, 25.0, 31.0, 61.0, 90_000.0]))
    @precondition(lambda self: not self.waited)
    def wait(self, seconds: float) -> None:
        self.waited = True
        self.w.clock.shift(seconds)

    @rule(chosen=which)
    @precondition(lambda self: not self.silenced)
    def silence(self, chosen: int) -> None:
        """I8: an agent is not heard for 30 s while all others work. Once: it takes as long as all the rest."""
        self.silenced = True
        if self.w.books.active and not self.w.server.down:
            self.w.silence(self._agent(chosen))
        else:
            self._offer(chosen)

    # --- what must hold ---

    @invariant()
    def the_promise_holds(self) -> None:
        if self.world is None:
            return
        self.w.books.look()
        if Violation.seen:
            raise Violation.seen[0]
        if stage.complaints.heard:
            raise Violation(stage.complaints.heard[0])

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            self.w.heal()
            self.w.settle()
            self.the_promise_holds()
            self.w.books.close()
        finally:
            self.w.close()
