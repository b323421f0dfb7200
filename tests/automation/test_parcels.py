"""The operator's screen files reach the hosts before the runs that need them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from nacl.public import PrivateKey

from automation.agent import own_screens
from automation.agent.identity import Identity
from automation.agent.own_screens import OwnScreens, ScreensAway
from automation.controller import parcels, tickets
from automation.controller.parcels import Post
from automation.protocol import screens_key
from automation.screens import schema
from automation.screens.parcel import NOTHING, BadParcel, Parcel
from devices.models import Host
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneError
from tests.automation.rows import host_with_key, offered_run, ticket_of

pytestmark = pytest.mark.django_db

FILE = "schema: 1\napp: instagram\nlanguages: {fi: {not_now: [Ei nyt]}}\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The controller's folder of the operator's files."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("PHONERACK_SCREENS", str(folder))
    return folder


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    made = Identity("pc1", tmp_path / "pc1")
    controller = PrivateKey(bytes.fromhex(settings.PHONERACK_CONTROLLER_KEY))
    made.trust(bytes(controller.public_key).hex())
    return made


@pytest.fixture
def host(identity: Identity) -> Host:
    return host_with_key(name="pc1", public_key=identity.public_key)


@pytest.fixture
def there(identity: Identity, redis_client, monkeypatch) -> OwnScreens:
    """The agent's end; call `at_host` before it is used."""
    monkeypatch.setattr(schema, "LOOK_SECONDS", 0)
    monkeypatch.setattr(own_screens, "FETCH_SECONDS", 1)
    return OwnScreens(redis_client, identity)


def at_host(there: OwnScreens, monkeypatch) -> None:
    monkeypatch.setenv("PHONERACK_SCREENS", str(there.folder))


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.y*ml")}


def test_a_ticket_names_the_files_that_its_run_is_to_go_by(own: Path, redis_client) -> None:
    run = offered_run()

    def named() -> str:
        tickets.issue([run])
        return ticket_of(run, redis_client).screens

    assert named() == NOTHING
    (own / "fi.yaml").write_text(FILE)
    assert named() == Parcel({"fi.yaml": FILE}).digest != NOTHING


def test_the_agent_has_the_files_before_the_run_begins(own, host, there, monkeypatch) -> None:
    (own / "fi.yaml").write_text(FILE)
    wanted = parcels.current().digest
    Post().send([host])
    at_host(there, monkeypatch)
    there.bring(wanted, Deadline(5))
    assert files(there.folder) == {"fi.yaml": FILE}
    assert "ei nyt" in schema.library().apps["instagram"].words["fi"]["not_now"]


def test_what_the_operator_took_away_goes_from_the_hosts_too(own, host, there, monkeypatch) -> None:
    (own / "fi.yaml").write_text(FILE)
    wanted = parcels.current().digest
    Post().send([host])
    at_host(there, monkeypatch)
    there.bring(wanted, Deadline(5))
    there.bring(NOTHING, Deadline(5))
    assert files(there.folder) == {}


def test_a_host_is_sent_the_files_once_and_again_when_they_change_or_redis_lost_them(
    own, host, redis_client
) -> None:
    post = Post()
    assert post.send([host]) == 0
    (own / "fi.yaml").write_text(FILE)
    assert [post.send([host]) for _ in range(2)] == [1, 0]
    redis_client.flushdb()
    assert post.send([host]) == 1
    (own / "fi.yaml").write_text(FILE + "# more\n")
    assert post.send([host]) == 1


def test_nothing_is_sent_to_a_host_that_nobody_trusts(own, redis_client) -> None:
    (own / "fi.yaml").write_text(FILE)
    assert Post().send([host_with_key(is_trusted=False)]) == 0


def test_files_that_do_not_come_end_the_run_instead_of_letting_it_go_by_others(there, monkeypatch) -> None:
    at_host(there, monkeypatch)
    with pytest.raises(ScreensAway):
        there.bring("0123456789abcdef", Deadline(5))


def test_older_files_that_still_lie_there_are_not_taken_for_the_new_ones(
    own, host, there, monkeypatch
) -> None:
    (own / "fi.yaml").write_text(FILE)
    Post().send([host])
    (own / "fi.yaml").write_text(FILE + "# more\n")
    wanted = parcels.current().digest
    at_host(there, monkeypatch)
    with pytest.raises(ScreensAway):
        there.bring(wanted, Deadline(5))
    assert files(there.folder) == {}


def test_two_controllers_with_other_files_do_not_hide_theirs_from_each_other(
    own, host, there, redis_client, monkeypatch
) -> None:
    (own / "fi.yaml").write_text(FILE)
    wanted, first, second = parcels.current().digest, Post(), Post()
    first.send([host])
    (own / "fi.yaml").write_text(FILE + "# the other machine's\n")
    second.send([host])
    at_host(there, monkeypatch)
    there.bring(wanted, Deadline(5))
    assert files(there.folder) == {"fi.yaml": FILE}


def test_a_host_that_has_another_key_is_sent_the_files_anew(own, host) -> None:
    (own / "fi.yaml").write_text(FILE)
    post = Post()
    post.send([host])
    host.public_key = bytes(PrivateKey.generate().public_key).hex()
    assert post.send([host]) == 1


def test_files_that_do_not_come_hold_up_no_other_run(own, host, there, monkeypatch) -> None:
    monkeypatch.setattr(own_screens, "FETCH_SECONDS", 20)
    (own / "fi.yaml").write_text(FILE)
    Post().send([host])
    at_host(there, monkeypatch)
    with never_there(there) as waits:
        there.bring(parcels.current().digest, Deadline(2))
        assert not waits.is_set()


def test_a_cancel_reaches_each_run_that_waits_for_its_files(there, monkeypatch) -> None:
    monkeypatch.setattr(own_screens, "FETCH_SECONDS", 20)
    at_host(there, monkeypatch)
    with never_there(there):
        with never_there(there) as over:
            pass
        assert over.wait(1)


@contextmanager
def never_there(there: OwnScreens) -> Iterator[threading.Event]:
    """A run that waits for files that nobody sends, canceled at the end; the event is set when it is over."""
    over, deadline = threading.Event(), Deadline(30)

    def wait() -> None:
        with contextlib.suppress(ScreensAway, PhoneError):
            there.bring("0123456789abcdef", deadline)
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    over.wait(0.2)  # until it waits
    try:
        yield over
    finally:
        deadline.cancel("canceled")


def test_files_that_somebody_else_put_there_are_not_taken(
    own, host, there, redis_client, monkeypatch
) -> None:
    forged = Parcel({"evil.yaml": FILE})
    redis_client.set(screens_key("pc1", forged.digest), forged.to_json())
    at_host(there, monkeypatch)
    with pytest.raises(ScreensAway):
        there.bring(forged.digest, Deadline(5))
    assert files(there.folder) == {}


def test_a_host_with_a_folder_of_its_own_goes_by_that_alone(own, host, there) -> None:
    there.bring("0123456789abcdef", Deadline(5))
    assert not there.folder.exists()


@pytest.mark.parametrize("name", ["../x.yaml", "/x.yaml", ".x.yaml", "x.sh", "a/b.yaml"])
def test_no_parcel_writes_outside_its_folder(name: str) -> None:
    with pytest.raises(BadParcel):
        Parcel.from_json(Parcel({name: "x"}).to_json().encode())


def test_a_folder_that_is_too_large_is_sent_in_part(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_text("x" * 250_000)
    assert sorted(Parcel.of(tmp_path).files) == ["0.yaml", "1.yaml"]
