"""The whole loop: a phone stops at a screen that nobody knows, somebody says what it is, the next run knows it.

Controller, agent, adb server, uiautomator2 and the simulated phone are the real ones; only their processes are one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from nacl.public import PrivateKey

from automation import services
from automation.agent import own_screens
from automation.agent.identity import Identity
from automation.agent.inventory import Inventory
from automation.agent.outbox import Outbox
from automation.agent.work import Work
from automation.controller import reports, tickets
from automation.models import Attention, Run
from automation.protocol import key
from automation.screens import schema
from automation.scripts import base
from automation.scripts.context import Pace
from devices.models import Host
from devices.phones.adb import AdbServer
from tests.automation.rows import host_with_key, offer_run
from tests.automation.test_unknown import said
from tests.factories import make_account, make_device
from tests.phones import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

FARM = {
    "phones": [{"serial": "SIMLOOP1", "apps": [{"app": "tiktok", "delay": 0.1, "popups": ["survey"]}]}],
    "logins": [{"app": "tiktok", "username": "mila.demo", "password": "right"}],
}


class Loop:
    """One host with one phone, and the controller's part, called by hand."""

    def __init__(self, work: Work, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.work, self._own, self._patch = work, own, monkeypatch
        outbox = work.outbox.epoch
        self.host = host_with_key(name="pc1", public_key=work.identity.public_key, outbox_epoch=outbox)
        self.phone = make_device(serial="SIMLOOP1", host=self.host)
        self._patch.setenv("PHONERACK_SCREENS", str(own))

    def carry_out(self, run: Run) -> Run:
        """The run from its offer to its end in the database."""
        offered = offer_run(run, self.host.pk)
        assert offered is not None
        tickets.issue([offered])
        self._patch.setenv("PHONERACK_SCREENS", str(self.work.own_screens.folder))  # as on the host
        self.work.do(offered.pk, offered.fence, "SIMLOOP1")
        self._patch.setenv("PHONERACK_SCREENS", str(self._own))
        after = Host.objects.get(pk=self.host.pk).applied_seq
        for _seq, text in self.work.outbox.unsent_texts(after, 500):
            self.work.client.xadd(key("pc1", "reports"), {"report": text})
        reports.apply_host("pc1")
        return Run.objects.get(pk=run.pk)


@pytest.fixture
def loop(make_farm, adb_server, redis_client, tmp_path: Path, monkeypatch) -> Loop:
    monkeypatch.setenv("PHONERACK_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(own_screens, "FETCH_SECONDS", 2)
    monkeypatch.setattr(schema, "LOOK_SECONDS", 0)
    monkeypatch.setattr(base, "Pace", lambda: Pace(poll=0.2, unknown=0.5))
    make_farm(FARM)
    identity = Identity("pc1", tmp_path / "pc1")
    controller = PrivateKey(bytes.fromhex(settings.PHONERACK_CONTROLLER_KEY))
    identity.trust(bytes(controller.public_key).hex())
    inventory = Inventory([AdbServer(port=adb_server.port)])
    work = Work(redis_client, identity, Outbox(tmp_path / "outbox.sqlite3"), inventory)
    wait_for(lambda: inventory.look() or inventory.find("SIMLOOP1"), what="the phone")
    return Loop(work, tmp_path / "own", monkeypatch)


def test_a_screen_that_somebody_described_is_known_to_the_next_run_on_the_host(
    loop: Loop, admin_client
) -> None:
    account = make_account(username="mila.demo", device=loop.phone, password="right")
    (run,) = services.enqueue("login", [(account, loop.phone)], requested_by="test")
    ended = loop.carry_out(run)
    assert (ended.outcome, ended.reason) == ("needs_person", "unknown_screen")
    row = Attention.objects.get()
    assert row.app_version
    assert "mila.demo" not in ended.evidence.dump

    page = reverse("console:unknown_screen", args=[row.fingerprint])
    title = next(line for line in _lines(admin_client.get(page)) if "How do you feel" in line.text)
    label = said(row, {title.node.index: "shows"}, what="new:human", reason="human:choice_needed")
    assert admin_client.post(page, label).status_code == 302

    again = loop.carry_out(Run.objects.pending().get())
    assert (again.outcome, again.reason) == ("needs_person", "choice_needed")
    assert [one.name for one in loop.work.own_screens.folder.glob("*.yaml")] == [
        f"label-tiktok-{row.fingerprint}.yaml"
    ]


def _lines(response: Any) -> Any:
    return response.context["lines"]
