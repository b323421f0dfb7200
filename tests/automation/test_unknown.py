"""Unknown screens: who stopped where, and what comes of it when somebody says what the screen is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from automation.choices import AttentionState
from automation.models import Attention, Run
from automation.screens import schema
from automation.screens.recognise import recognise
from tests.automation.dumps import TT, dump, node
from tests.automation.test_attention import needy
from tests.factories import make_account

pytestmark = pytest.mark.django_db

LIST = reverse("console:unknown")
OFFER = dump(
    node(
        "FrameLayout",
        node("TextView", id="offer_title", text="A gift for your birthday", bounds="[0,100][1080,200]"),
        node("Button", text="No, thanks", bounds="[0,300][1080,400]"),
        node("Button", text="Take it", bounds="[0,500][1080,600]"),
        node("TextView", text="name_1", id="who", bounds="[0,700][1080,800]"),
        bounds="[0,0][1080,2400]",
    )
)
BOX, TITLE, NO, TAKE, NAME = range(5)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's folder, every change of which is seen at once."""
    monkeypatch.setattr(schema, "LOOK_SECONDS", 0)
    monkeypatch.setenv("PHONERACK_SCREENS", str(tmp_path / "own"))
    return tmp_path / "own"


def stopped(xml: str = OFFER, version: str = "412.0", app: str = "instagram") -> Attention:
    return needy(account=make_account(app=app), reason="unknown_screen", xml=xml, version=version)


def url_of(row: Attention) -> str:
    return reverse("console:unknown_screen", args=[row.fingerprint])


def said(
    row: Attention, marks: dict[int, str], what: str = "new:popup", do: str = "write", **over: str
) -> dict:
    """What the form sends: the nodes with their roles, each by id and words."""
    data = {"run": row.run_id, "what": what, "name": "Birthday offer", "do": do, "node": list(marks), **over}
    for number, role in marks.items():
        data |= {f"role-{number}": role, f"id-{number}": "on", f"text-{number}": "on"}
    return data


GOOD = {TITLE: "shows", NO: "dismiss"}


def page_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def files(own: Path) -> list[str]:
    return sorted(path.name for path in own.glob("*.yaml"))


# The list


def test_phones_that_stopped_at_the_same_screen_stand_together_with_their_versions(admin_client) -> None:
    for version in ("412.0", "412.0", "413.1"):
        stopped(version=version)
    other = stopped(dump(node("Button", id="x", text="?", package=TT)), app="tiktok")
    page = page_of(admin_client.get(LIST))
    assert "3 phones stopped at this screen" in page
    assert "Instagram 412.0, 413.1" in page
    assert "1 phone stopped at this screen" in page
    assert url_of(other) in page


def test_the_list_costs_as_many_queries_for_many_screens_as_for_one(
    admin_client, django_assert_max_num_queries
):
    def queries() -> int:
        with django_assert_max_num_queries(20) as found:
            admin_client.get(reverse("console:unknown_live"))
        return len(found)

    stopped()
    one = queries()
    for number in range(8):
        stopped(dump(node("Button", id=f"button_{number}")))
    assert queries() == one <= 6


def test_the_picture_stands_beside_the_tree_and_what_is_hidden_cannot_be_chosen(admin_client) -> None:
    row = stopped()
    page = page_of(admin_client.get(url_of(row)))
    assert reverse("console:screenshot", args=[row.run_id]) in page
    assert "“A gift for your birthday”" in page
    assert f'name="text-{TITLE}"' in page
    assert f'name="text-{NAME}"' not in page
    assert f'value="{BOX}"' not in page


# Who may


def rights(client, *names: str):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def test_without_the_right_to_evidence_nothing_is_shown(client) -> None:
    row = stopped()
    rights(client, "view_run", "label_screen")
    assert [client.get(url).status_code for url in (LIST, url_of(row))] == [403, 403]


def test_who_may_only_look_can_say_nothing(client, own) -> None:
    row = stopped()
    rights(client, "view_run", "view_evidence", "add_run")
    assert "<button class" not in page_of(client.get(url_of(row))).split("data-picker")[1]
    assert client.post(url_of(row), said(row, GOOD)).status_code == 403
    assert files(own) == []


# Labels


def test_a_dry_run_says_what_would_come_of_it_and_writes_nothing(admin_client, own) -> None:
    row, _second = stopped(), stopped()
    page = page_of(admin_client.post(url_of(row), said(row, GOOD, do="try")))
    assert "Recognises now 2 of the 2 that wait at this screen. 2 runs would go on." in page
    assert re.search(r"Changes 0 of \d\d+ fixtures", page)
    assert files(own) == []
    assert Attention.objects.open().count() == 2


def test_a_label_is_written_and_each_that_waited_goes_on_once(admin_client, own) -> None:
    rows = [stopped(), stopped()]
    for _ in range(2):
        admin_client.post(url_of(rows[0]), said(rows[0], GOOD))
    assert files(own) == [f"label-instagram-{rows[0].fingerprint}.yaml"]
    verdict = recognise(OFFER)
    assert (verdict.screen, verdict.kind) == ("own.birthday_offer", "popup")
    assert verdict.find("dismiss").y == 350
    assert sorted(Run.objects.pending().values_list("account", flat=True)) == [row.account_id for row in rows]
    assert {row.state for row in Attention.objects.all()} == {AttentionState.SOLVED}
    assert (own / "fixtures" / f"instagram-{rows[0].fingerprint}.xml").read_text() == OFFER


def test_a_known_screen_that_looks_different_is_known_in_one_more_way(admin_client) -> None:
    row = stopped()
    admin_client.post(url_of(row), said(row, {TITLE: "shows", TAKE: "log_in"}, what="known:ig.landing"))
    verdict = recognise(OFFER)
    assert verdict.screen == "ig.landing"
    assert verdict.find("log_in").y == 550


def test_a_screen_for_a_person_may_be_named_with_its_reason(admin_client) -> None:
    row = stopped()
    admin_client.post(url_of(row), said(row, {TITLE: "shows"}, what="new:human", reason="human:age_gate"))
    verdict = recognise(OFFER)
    assert (verdict.kind, verdict.reason, verdict.result) == ("human", "age_gate", "needs_person")


@pytest.mark.parametrize(
    ("marks", "over", "why"),
    [
        ({}, {}, "at least one node"),
        ({NO: "dismiss"}, {}, "at least one node"),
        ({TITLE: "shows"}, {}, "harmless button"),
        (GOOD, {"name": ""}, "a name for a new one"),
        (GOOD, {"what": ""}, "a name for a new one"),
        (GOOD, {"what": "new:session_on"}, "a name for a new one"),
        (GOOD, {"what": "known:ig.nowhere"}, "There is no screen ig.nowhere"),
        (GOOD, {"what": "known:ig.captcha"}, "On ig.captcha may be tapped: nothing."),
        (GOOD, {"what": "new:human", "reason": "human:captcha"}, "may be tapped: nothing."),
        ({TITLE: "shows"}, {"what": "new:human"}, "Choose the reason"),
        ({BOX: "shows", NO: "dismiss"}, {}, "without an id and without words"),
        ({99: "shows", NO: "dismiss"}, {}, "choose again"),
    ],
)  # fmt: skip
def test_a_label_that_makes_no_sense_is_refused_with_a_sentence(admin_client, own, marks, over, why) -> None:
    row = stopped()
    page = page_of(admin_client.post(url_of(row), said(row, marks, **over)))
    assert why in page
    assert files(own) == []
    assert Attention.objects.open().exists()


def test_a_label_that_would_take_a_known_screen_for_another_is_refused(admin_client, own) -> None:
    row = stopped(OFFER.replace("Take it", "Log in"))
    page = page_of(
        admin_client.post(url_of(row), said(row, {TAKE: "shows"}, what="new:human", reason="human:captcha"))
    )
    assert "It may not be written" in page
    assert "instagram login_form en" in page
    assert files(own) == []


def test_a_label_is_held_against_the_screens_that_are_written_by_hand_too(admin_client, own) -> None:
    row = stopped(OFFER.replace("A gift for your birthday", "Introducing the Instagram map"))
    data = said(row, {TITLE: "shows"}, what="new:human", reason="human:captcha")
    del data[f"id-{TITLE}"]
    page = page_of(admin_client.post(url_of(row), data))
    assert "It may not be written" in page
    assert "ig.nux_map 0" in page
    assert files(own) == []


def test_what_was_labelled_before_stays_what_it_is(admin_client, own) -> None:
    first = stopped()
    admin_client.post(url_of(first), said(first, GOOD))
    other = stopped(
        dump(node("TextView", text="A gift for your birthday"), node("Button", id="odd", text="No, thanks"))
    )
    data = said(other, {0: "shows"}, what="new:human", reason="human:captcha", name="Other")
    page = page_of(admin_client.post(url_of(other), data))
    assert f"instagram-{first.fingerprint}.xml" in page
    assert len(files(own)) == 1


def test_only_those_that_are_recognised_go_on(admin_client) -> None:
    row, french = (
        stopped(),
        stopped(OFFER.replace("No, thanks", "Non merci").replace("A gift for", "Un cadeau")),
    )
    assert french.fingerprint == row.fingerprint
    page = page_of(admin_client.post(url_of(row), said(row, GOOD, do="try", run=str(row.run_id))))
    assert "Recognises now 1 of the 2" in page
    admin_client.post(url_of(row), said(row, GOOD))
    french.refresh_from_db()
    assert french.state == AttentionState.OPEN


def test_a_screen_at_which_nobody_waits_any_more_leads_back_to_the_list(admin_client) -> None:
    assert admin_client.get(reverse("console:unknown_screen", args=["0" * 16])).url == LIST


def test_a_file_of_the_operators_that_is_wrong_does_not_keep_others_from_being_written(
    admin_client, own
) -> None:
    own.mkdir()
    (own / "bad.yaml").write_text("nonsense")
    row = stopped()
    admin_client.post(url_of(row), said(row, GOOD))
    assert recognise(OFFER).screen == "own.birthday_offer"


# Undo

UNDO = reverse("console:label_undo")


def test_a_label_can_be_undone_where_the_unknown_screens_are(admin_client, own, caplog) -> None:
    caplog.set_level("INFO")
    row = stopped()
    admin_client.post(url_of(row), said(row, GOOD))
    file = f"label-instagram-{row.fingerprint}.yaml"
    page = page_of(admin_client.get(LIST))
    assert "own.birthday_offer" in page
    assert f'name="file" value="{file}"' in page

    page = page_of(admin_client.post(UNDO, {"file": file}, follow=True))
    assert f"{file} is gone" in page
    assert [path for path in own.rglob("*") if path.is_file()] == []
    assert recognise(OFFER).screen == ""
    assert f"admin took {file} back" in caplog.text


def test_undo_brings_back_the_label_that_was_replaced(admin_client, own) -> None:
    row = stopped()
    admin_client.post(url_of(row), said(row, GOOD))
    file = own / f"label-instagram-{row.fingerprint}.yaml"
    first = file.read_text()
    again = stopped(OFFER.replace("A gift for", "Presents for"))
    by_its_id = said(again, GOOD)
    del by_its_id[f"text-{TITLE}"]
    admin_client.post(url_of(again), by_its_id)
    assert file.read_text() != first

    admin_client.post(UNDO, {"file": file.name})
    assert file.read_text() == first
    admin_client.post(UNDO, {"file": file.name})
    assert files(own) == []


@pytest.mark.parametrize("file", ["", "mine.yaml", "../mine.yaml", "label-instagram-0000.yaml"])
def test_undo_touches_nothing_but_a_label(admin_client, own, file) -> None:
    own.mkdir()
    for path in (own / "mine.yaml", own.parent / "mine.yaml"):
        path.write_text("schema: 1")
    page = page_of(admin_client.post(UNDO, {"file": file}, follow=True))
    assert "There is no label" in page
    assert (own / "mine.yaml").exists()
    assert (own.parent / "mine.yaml").exists()


def test_who_may_only_look_cannot_undo_what_others_said(admin_client, client, own) -> None:
    row = stopped()
    admin_client.post(url_of(row), said(row, GOOD))
    rights(client, "view_run", "view_evidence", "add_run")
    assert UNDO not in page_of(client.get(LIST))
    assert client.post(UNDO, {"file": files(own)[0]}).status_code == 403
    assert len(files(own)) == 1
