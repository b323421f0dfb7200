"""An agent is who it says, alone in its folder, and opens only its own tickets."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.public import Box, PrivateKey

from automation.agent.identity import BadTicket, CannotStart, Identity
from automation.protocol import Ticket

CONTROLLER = PrivateKey.generate()


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    made = Identity("pc1", tmp_path / "pc1")
    made.trust(bytes(CONTROLLER.public_key).hex())
    return made


def sealed(identity: Identity, sender: PrivateKey = CONTROLLER, **over) -> bytes:
    values = {
        "run": 1,
        "fence": 1,
        "host": "pc1",
        "script": "login",
        "serial": "S",
        **over,
    }
    return bytes(Box(sender, identity.key.public_key).encrypt(Ticket(**values).to_json().encode()))


def test_a_second_agent_on_the_same_folder_is_refused_with_a_clear_sentence(identity: Identity) -> None:
    with pytest.raises(CannotStart, match="already at work on this machine"):
        Identity("pc1", identity.folder)


def test_the_private_key_is_its_owners_alone_and_stays(identity: Identity) -> None:
    path = identity.folder / "agent.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex(path.read_text()) == bytes(identity.key)


def test_it_opens_a_ticket_of_its_controller(identity: Identity) -> None:
    assert identity.open_ticket(sealed(identity)).run == 1


@pytest.mark.parametrize("over", [{"host": "pc2"}, {"sender": PrivateKey.generate()}])
def test_it_refuses_any_other(identity: Identity, over) -> None:
    with pytest.raises(BadTicket):
        identity.open_ticket(sealed(identity, **over))


def test_a_tampered_ticket_does_not_open(identity: Identity) -> None:
    with pytest.raises(BadTicket):
        identity.open_ticket(sealed(identity)[:-1] + b"\0")


def test_another_controller_than_the_first_is_refused(identity: Identity) -> None:
    with pytest.raises(CannotStart, match="another key"):
        identity.trust(bytes(PrivateKey.generate().public_key).hex())
