"""The page Attention: what it shows to whom, and what its buttons do."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import RequestFactory
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Account, AuditEvent
from accounts.where import address_of
from automation import services
from automation.choices import AttentionState, Outcome
from automation.models import Attention, Run
from tests.automation.rows import host_with_key
from tests.automation.test_attention import needy
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db

PAGE, LIVE, PASSWORD = (reverse(f"console:attention{part}") for part in ("", "_live", "_password"))
SECRET = "JBSWY3DPEHPK3PXP"
JPEG = b"\xff\xd8\xff a picture"


def login_as(client, *permissions):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def code_url(row: Attention) -> str:
    return reverse("console:attention_code", args=[row.pk])


def needy_with_secret() -> Attention:
    return needy(
        account=make_account(app="instagram", device=phone(), totp_secret=SECRET), reason="code_refused"
    )


def phone(**over):
    return make_device(host=host_with_key(), **over)


def test_a_row_says_who_where_why_and_what_to_do(admin_client) -> None:
    row = needy(make_device(host=host_with_key(name="pc1"), label="17", hub="1-2", port="3"))
    services.keep_evidence(row.run, JPEG, "")
    page = text_of(admin_client.get(PAGE))
    for said in (
        str(row.account), "pc1 · hub 1-2 · port 3", ">17<", "The app shows a puzzle for people.",
        "Solve it on the phone", "kept until", reverse("console:screenshot", args=[row.run_id]),
        f'value="go_on:{row.pk}"', f'value="give_up:{row.pk}"', f'value="snooze:{row.pk}"',
    ):  # fmt: skip
        assert said in page, said


def test_rows_stand_by_reason_the_newest_first(admin_client) -> None:
    rows = [needy(reason=reason) for reason in ("captcha", "email_code", "captcha")]
    page = text_of(admin_client.get(PAGE))
    assert [int(pk) for pk in re.findall(r'value="go_on:(\d+)"', page)] == [
        rows[2].pk,
        rows[0].pk,
        rows[1].pk,
    ]
    assert page.index(" captcha <small>2<") < page.index(" code by e-mail <small>1<")


def test_a_hundred_rows_cost_as_many_queries_as_one(admin_client, django_assert_max_num_queries) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(30) as found:
            admin_client.get(LIVE)
        return len(found)

    needy_with_secret()
    one = queries()
    for _ in range(8):
        needy(reason="email_code")
        needy(reason="wrong_password", outcome=Outcome.FAILED)
    assert queries() == one <= 8


def test_the_live_part_is_sent_again_only_when_something_changed(admin_client) -> None:
    needy()
    seen = re.search(r"\?seen=(\w+)", admin_client.get(LIVE).content.decode())
    assert seen
    address = f"{LIVE}?seen={seen.group(1)}"
    assert admin_client.get(address).status_code == 204
    needy()
    assert admin_client.get(address).status_code == 200


def test_nobody_is_needed_says_so(admin_client) -> None:
    assert "Nobody is needed." in text_of(admin_client.get(PAGE))


# Who may what


def test_who_may_not_see_runs_sees_nothing(client) -> None:
    login_as(client, "view_account")
    assert [client.get(url).status_code for url in (PAGE, LIVE)] == [403, 403]
    assert PAGE not in client.get(reverse("admin:index")).content.decode()


def test_a_stranger_is_refused(client) -> None:
    row = needy_with_secret()
    assert client.get(PAGE).status_code == 403
    assert [client.post(url).status_code for url in (PAGE, PASSWORD, code_url(row))] == [403, 403, 403]


def test_who_may_only_look_has_no_button_and_is_refused_each(client) -> None:
    row = needy_with_secret()
    login_as(client, "view_run")
    page = text_of(client.get(PAGE))
    assert str(row.account) in page
    assert "<button name" not in page.replace(' class="pr-button"', "")
    assert "go_on:" not in page
    for data in ({"one": f"go_on:{row.pk}"}, {"all": "give_up", "row": row.pk}, {"one": f"snooze:{row.pk}"}):
        assert client.post(PAGE, data).status_code == 403
    assert client.post(PASSWORD, {f"password-{row.pk}": "x"}).status_code == 403
    assert client.post(code_url(row)).status_code == 403
    assert Attention.objects.get().state == AttentionState.OPEN


def test_without_the_right_to_evidence_there_is_no_picture(client) -> None:
    row = needy()
    services.keep_evidence(row.run, JPEG, "")
    page = text_of(login_as(client, "view_run").get(PAGE))
    assert reverse("console:screenshot", args=[row.run_id]) not in page


# The buttons


def test_solved_makes_one_run_however_often_it_is_clicked(admin_client) -> None:
    row = needy()
    for _ in range(2):
        assert admin_client.post(PAGE, {"one": f"go_on:{row.pk}"}).status_code == 302
    assert Run.objects.pending().get().account == row.account


def test_ticked_rows_are_dealt_with_together(admin_client) -> None:
    rows = [needy() for _ in range(3)]
    admin_client.post(PAGE, {"all": "go_on", "row": [row.pk for row in rows[:2]]})
    assert Run.objects.pending().count() == 2
    admin_client.post(PAGE, {"all": "give_up", "row": rows[2].pk})
    assert set(Attention.objects.values_list("state", flat=True)) == {"solved", "given_up"}


def test_what_was_put_off_is_counted_and_can_be_seen(admin_client) -> None:
    row = needy()
    admin_client.post(PAGE, {"one": f"snooze:{row.pk}"})
    page = text_of(admin_client.get(PAGE))
    assert "put off 1" in page
    assert str(row.account) not in page
    assert str(row.account) in text_of(admin_client.get(PAGE, {"show": "put_off"}))


@pytest.mark.parametrize(
    "data", [{}, {"one": "explode:1"}, {"all": "go_on"}, {"one": "go_on:x"}, {"one": "go_on:9"}]
)
def test_an_order_without_sense_changes_nothing(admin_client, data) -> None:
    needy()
    assert admin_client.post(PAGE, data).status_code == 302
    assert Attention.objects.get().state == AttentionState.OPEN


def test_a_new_password_is_stored_and_the_login_goes_on(admin_client) -> None:
    row = needy(reason="wrong_password", outcome=Outcome.FAILED)
    assert f"go_on:{row.pk}" not in text_of(admin_client.get(PAGE))
    response = admin_client.post(PASSWORD, {f"password-{row.pk}": "Canary-new-1"}, follow=True)
    assert Account.objects.get(pk=row.account_id).password.matches("Canary-new-1")
    assert Run.objects.pending().get().account == row.account
    assert "Canary-new-1" not in response.content.decode()


def test_the_refused_password_typed_again_starts_nothing(admin_client) -> None:
    row = needy(
        account=make_account(device=phone(), password="same"), reason="wrong_password", outcome="failed"
    )
    admin_client.post(PASSWORD, {f"password-{row.pk}": "same"})
    assert not Run.objects.pending().exists()


def test_a_secret_may_be_added_behind_the_password(admin_client) -> None:
    row = needy(account=make_account(app="instagram", device=phone()), reason="two_factor")
    admin_client.post(PASSWORD, {f"password-{row.pk}": f"pass:{SECRET}"})
    assert Account.objects.get(pk=row.account_id).totp_secret.matches(SECRET)


# The 2FA code


def test_the_code_of_now_is_shown_and_written_down(admin_client, monkeypatch) -> None:
    monkeypatch.setattr("time.time", lambda: 59)  # of RFC 6238, with its secret
    account = make_account(app="instagram", device=phone(), totp_secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    response = admin_client.post(code_url(needy(account=account, reason="code_refused")))
    assert "<b>287082</b>" in text_of(response)
    assert "no-store" in response["Cache-Control"]
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.account, event.address) == (
        "admin", "totp_code_shown", account, "127.0.0.1",
    )  # fmt: skip


def test_a_code_is_never_shown_by_a_link(admin_client) -> None:
    assert admin_client.get(code_url(needy_with_secret())).status_code == 405
    assert not AuditEvent.objects.exists()


def test_without_its_audit_row_no_code_is_shown(admin_client, monkeypatch) -> None:
    def broken(**_values):
        raise RuntimeError("no audit")

    row = needy_with_secret()
    monkeypatch.setattr(AuditEvent.objects, "create", broken)
    with pytest.raises(RuntimeError):
        admin_client.post(code_url(row))


def test_who_may_do_all_but_see_codes_is_shown_none(client) -> None:
    row = needy_with_secret()
    rights = [one.codename for one in Permission.objects.exclude(codename="view_totp_code")]
    login_as(client, *rights)
    assert code_url(row) not in text_of(client.get(PAGE))
    assert client.post(code_url(row)).status_code == 403
    assert not AuditEvent.objects.exists()


def test_no_secret_stands_on_the_page(admin_client) -> None:
    row = needy_with_secret()
    accounts.set_credentials(row.account, "canary-password")
    page = admin_client.get(PAGE).content.decode()
    assert "canary-password" not in page
    assert SECRET not in page


# The audit


def test_an_audit_event_is_never_changed_and_outlives_its_account(admin_client) -> None:
    row = needy_with_secret()
    admin_client.post(code_url(row))
    event = AuditEvent.objects.get()
    for change in (
        event.save, event.delete, AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(actor="x")
    ):  # fmt: skip
        with pytest.raises(TypeError):
            change()
    name, number = f"{row.account} (Instagram)", row.account.pk
    row.account.delete()
    event = AuditEvent.objects.get()
    assert (event.account_id, event.subject) == (number, name)
    listed = reverse("admin:accounts_auditevent_changelist")
    assert event.subject in admin_client.get(listed).content.decode()
    page = reverse("admin:accounts_auditevent_change", args=[event.pk])
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"actor": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("tls", "said", "address"),
    [
        (False, "6.6.6.6", "10.0.0.1"), (True, "6.6.6.6, 7.7.7.7", "7.7.7.7"), (True, "", "10.0.0.1"),
        (True, "nonsense", None),
    ],
)  # fmt: skip
def test_only_behind_a_proxy_its_word_about_the_address_counts(monkeypatch, tls, said, address) -> None:
    monkeypatch.setattr(settings, "USE_TLS", tls, raising=False)
    headers = {"X-Forwarded-For": said} if said else {}
    assert address_of(RequestFactory(REMOTE_ADDR="10.0.0.1").get("/", headers=headers)) == address
