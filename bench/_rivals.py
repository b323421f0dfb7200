"""The rivals at the same work: same plan, same phones, same records, same clock."""

from __future__ import annotations

import importlib
import time
from typing import Any

import redis

from bench._cost import Meter, pss_mb
from bench._plan import Plan, warm_up
from bench._records import Records, figures
from bench._stage import Broken, Stage
from bench.rivals._common import STAGED

#: module -> how it is called in the tables
RIVALS = {
    "celery_lock": "Celery, queue per host + Redis lock + retry",
    "celery_queues": "Celery, queue per phone + lock in the process",
    "dramatiq_lock": "dramatiq, queue per host + Redis lock + retry",
    "bare_redis": "bare Redis: thread per phone, no library",
}


class Rival(Stage):
    """The workers of one rival, ready for work."""

    def __init__(self, module: str, plan: Plan) -> None:
        super().__init__()
        self.module, self.plan, self._host = module, plan, ""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "BENCH_HOST": self._host}

    def open(self) -> None:
        super().open()
        command = importlib.import_module(f"bench.rivals.{self.module}").worker_command
        for host, serials in self.plan.serials().items():
            self._host = host
            self.start(f"worker {host}", *command(host, serials))
        self._host = ""
        ready = [self.records / f"ready-{host}" for host in self.plan.serials()]
        self.until("the workers are ready", lambda: all(path.exists() for path in ready))

    def work(self, order: str, seconds: float) -> dict[str, Any]:
        """Fill the queues, let go, and wait for the last run, but no longer than so many seconds."""
        records = Records(self.records)
        before = self._warm_up(records)
        enqueue = self._fill(self.plan, order)
        meter, since = Meter(self.pids()), self._let_go()
        try:
            wanted = self.plan.total + before
            self.until("all is done", lambda: len(records.follow().visits) >= wanted, seconds)
            ended = True
        except Broken:
            self.check()
            ended = False
        used = meter.stop()
        memory = pss_mb(self.processes["worker h1"].pid)
        found = figures(records.visits, self.plan, since)
        return {**found, "enqueue": enqueue, "ended": ended, "pss_mb": memory, **used}

    def _warm_up(self, records: Records) -> int:
        """A little work for each phone, as Phonerack has it too; returns how many runs that were."""
        plan = warm_up(self.plan)
        self._fill(plan, "interleaved")
        self._let_go()
        self.until("the workers are warm", lambda: len(records.follow().visits) >= plan.total, 60)
        return plan.total

    def _fill(self, plan: Plan, order: str) -> Any:
        return self.ask(f"rivals.{self.module}", str(plan.save(self.folder / "plan.json")), order)

    def _let_go(self) -> float:
        """Rename all that is staged into place at once; returns when."""
        client = redis.Redis.from_url(self.redis_url)
        names = sorted(
            client.scan_iter(match=f"{STAGED}*", count=1000), reverse=True
        )  # contents before their index
        pipeline = client.pipeline()
        for name in names:
            pipeline.rename(name, name.removeprefix(STAGED.encode()))
        since = time.monotonic()
        pipeline.execute()
        return since
