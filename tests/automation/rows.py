"""Hosts with keys and runs in every state."""

from __future__ import annotations

from typing import Any

from nacl.public import Box, PrivateKey

from automation import services
from automation.choices import RunState
from automation.controller import tickets
from automation.models import Run
from automation.protocol import Ticket, ticket_key
from automation.services import Claim
from automation.transitions import changing
from devices.models import Device, Host
from tests.factories import make_account, make_device, make_host

AGENT_KEY = PrivateKey(bytes(range(1, 33)))


def host_with_key(**over: Any) -> Host:
    """A trusted, heard host whose agent has AGENT_KEY."""
    return make_host(
        **{"public_key": bytes(AGENT_KEY.public_key).hex(), "lanes": 10, "outbox_epoch": "e1", **over}
    )


def run_on(device: Device | None = None, **over: Any) -> Run:
    """A pending login of an account of its own on a phone that is online."""
    device = device or make_device(host=host_with_key())
    account = over.pop("account", None) or make_account(device=device)
    (run,) = services.enqueue("login", [(account, device)], requested_by="test", **over)
    return run


def offer_run(run: Run, host_id: int | None) -> Run | None:
    """On the device it has; None when it was not possible."""
    return next(iter(services.offer_runs([Claim(run.pk, run.fence, run.device_id or 0, host_id or 0)])), None)


def start_run(run_id: int, fence: int, seq: int = 0) -> Run:
    """As report `seq` of its agent does."""
    with changing([run_id]) as changes:
        return changes.start(run_id, fence, seq)


def offered_run(device: Device | None = None, **over: Any) -> Run:
    run = run_on(device, **over)
    offered = offer_run(run, run.device.host_id)
    assert offered is not None
    return offered


def running_run(device: Device | None = None, **over: Any) -> Run:
    run = offered_run(device, **over)
    return start_run(run.pk, run.fence)


def finished_run(device: Device | None = None, **over: Any) -> Run:
    return services.finish_run(running_run(device, **over), "succeeded", reason="signed_in")


def ticket_of(run: Run, client: Any) -> Ticket:
    """Taken as the run's agent takes it."""
    sealed = client.getdel(ticket_key(run.host.name, run.pk, run.fence))
    return Ticket.from_json(Box(AGENT_KEY, tickets.controller_key().public_key).decrypt(sealed))


IN_STATE = {
    RunState.PENDING: run_on,
    RunState.OFFERED: offered_run,
    RunState.RUNNING: running_run,
    RunState.FINISHED: finished_run,
}
