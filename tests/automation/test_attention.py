"""Runs that need a person: how they come into the list, what is done with them, and what becomes of their phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as accounts
from automation import services, solving
from automation.choices import AttentionState, Outcome, RunState
from automation.models import Attention, Run
from devices import services as devices
from devices.choices import Hold
from tests.automation.dumps import dump, node
from tests.automation.rows import host_with_key, offer_run, running_run, start_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def needy(
    phone=None, reason="captcha", outcome=Outcome.NEEDS_PERSON, xml="", version="", **over
) -> Attention:
    """A run that ended so that a person must look."""
    run = running_run(phone, **over)
    if xml:
        services.keep_evidence(run, b"", xml, app_version=version)
    services.finish_run(run, outcome, reason=reason)
    return Attention.objects.get(run=run)


def state_of(row: Attention) -> str:
    row.refresh_from_db()
    return row.state


def waiting() -> list[Attention]:
    return list(Attention.objects.waiting(timezone.now()))


def free(phone) -> bool:
    phone.refresh_from_db()
    return phone.hold == Hold.NONE


# How they come and go by themselves


def test_a_run_that_needs_a_person_waits_in_the_list_with_its_account_and_phone() -> None:
    row = needy()
    assert (row.account, row.device, row.reason) == (row.run.account, row.run.device, "captcha")
    assert waiting() == [row]


def test_a_wrong_password_waits_in_the_list_but_keeps_no_phone() -> None:
    row = needy(reason="wrong_password", outcome=Outcome.FAILED)
    assert waiting() == [row]
    assert free(row.device)


@pytest.mark.parametrize("outcome", ["succeeded", "canceled", "lost", "skipped", "failed"])
def test_what_needs_nobody_is_not_in_the_list(outcome) -> None:
    services.finish_run(running_run(), outcome, reason="rate_limited")
    assert waiting() == []


def test_the_same_trouble_again_stands_in_the_list_once() -> None:
    first = needy()
    devices.release([first.device])
    second = needy(first.device, account=first.account, reason="email_code")
    assert waiting() == [second]
    assert state_of(first) == AttentionState.PASSED


def test_a_login_that_succeeds_takes_the_account_off_the_list_and_no_other() -> None:
    row, other = needy(), needy()
    devices.release([row.device])
    services.finish_run(running_run(row.device, account=row.account), "succeeded", reason="signed_in")
    assert waiting() == [other]


def test_a_match_that_succeeds_makes_void_what_an_earlier_match_on_that_phone_needed() -> None:
    phone = make_device(host=host_with_key())
    account = needy(phone)
    devices.release([phone])

    def match(outcome, reason):
        (run,) = services.enqueue("match", [(None, phone)], requested_by="test")
        offered = offer_run(run, phone.host_id)
        services.finish_run(start_run(run.pk, offered.fence), outcome, reason=reason)

    match("needs_person", "unknown_screen")
    assert len(waiting()) == 2
    devices.release([phone])
    match("succeeded", "matched")
    assert waiting() == [account]


def test_a_deleted_account_leaves_nothing_in_the_list() -> None:
    needy().account.delete()
    assert waiting() == []


# Unknown screens


def screen(*texts: str, more: int = 1) -> str:
    rows = [node("TextView", id="row", text=f"row {number}") for number in range(more)]
    return dump(node("FrameLayout", *[node("Button", id="ok", text=text) for text in texts], *rows))


def test_the_same_screen_in_other_words_and_with_more_rows_has_the_same_fingerprint() -> None:
    prints = {
        needy(reason="unknown_screen", xml=xml).fingerprint
        for xml in (screen("Yes"), screen("Ja", more=7), screen("是"))
    }
    assert len(prints) == 1
    assert "" not in prints
    other = needy(reason="unknown_screen", xml=dump(node("Button", id="cancel")), version="412.0")
    assert other.fingerprint not in prints
    assert (other.package, other.app_version) == ("com.instagram.android", "412.0")


def test_a_captcha_has_no_fingerprint_and_an_unreadable_dump_stops_nobody() -> None:
    assert needy(xml=screen("Yes")).fingerprint == ""
    assert needy(reason="unknown_screen", xml="<hierarchy").fingerprint == ""


# Solved, go on


def test_solved_runs_the_same_script_once_more_for_the_same_account_on_the_phone_given_back() -> None:
    row = needy()
    assert not free(row.device)
    (run,) = solving.go_on([row], "ann").runs
    assert (run.script, run.account, run.device, run.state) == (
        "login", row.account, row.device, RunState.PENDING,
    )  # fmt: skip
    assert run.requested_by == "ann"
    assert free(row.device)
    assert (state_of(row), row.actor) == (AttentionState.SOLVED, "ann")
    row.account.refresh_from_db()
    assert row.account.attention == ""


def test_two_who_click_at_once_make_one_run() -> None:
    row = needy()
    solving.go_on([row], "ann")
    assert solving.go_on([row], "bob").rows == []
    assert Run.objects.pending().count() == 1


def test_a_password_that_was_refused_is_not_tried_again_until_it_is_another() -> None:
    row = needy(reason="wrong_password", outcome=Outcome.FAILED)
    done = solving.go_on([row], "ann")
    assert (done.rows, done.same_password, state_of(row)) == ([], 1, AttentionState.OPEN)
    accounts.set_credentials(row.account, "another")
    assert len(solving.go_on([row], "ann").runs) == 1


def test_a_disabled_account_stays_in_the_list() -> None:
    row = needy()
    accounts.set_enabled([row.account], False)
    assert solving.go_on([row], "ann").disabled == 1
    assert state_of(row) == AttentionState.OPEN


def test_several_go_on_together_also_of_different_scripts() -> None:
    rows = [needy(), needy(), needy(reason="email_code")]
    assert len(solving.go_on(rows, "ann").runs) == 3
    assert waiting() == []


# Give up, put off


def test_who_gives_up_gives_the_phone_back_and_leaves_the_account_marked() -> None:
    row = needy()
    solving.give_up([row], "ann")
    assert free(row.device)
    assert (state_of(row), row.account.attention) == (AttentionState.GIVEN_UP, "captcha")
    assert waiting() == []
    assert not Run.objects.pending().exists()


def test_what_is_put_off_comes_back_and_its_phone_works_meanwhile() -> None:
    row, now = needy(), timezone.now()
    solving.snooze([row], now + timedelta(hours=1))
    assert free(row.device)
    assert waiting() == []
    assert list(Attention.objects.waiting(now + timedelta(hours=2))) == [row]


def test_a_phone_on_which_something_newer_waits_stays_with_the_person() -> None:
    phone = make_device(host=host_with_key())
    older = needy(phone)
    devices.release([phone])
    newer = needy(phone, account=make_account(device=phone))
    solving.give_up([older], "ann")
    assert not free(phone)
    solving.give_up([newer], "ann")
    assert free(phone)


def test_a_phone_that_somebody_keeps_without_an_end_is_not_given_back() -> None:
    row = needy()
    devices.hold([row.device])
    solving.give_up([row], "ann")
    assert not free(row.device)
