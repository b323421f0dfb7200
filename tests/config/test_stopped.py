"""Pages that go no further: in the look of the others, in the language of the browser, with a way back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

pytestmark = pytest.mark.django_db
HOME = reverse("admin:index")


def test_a_wrong_address_says_so_and_leads_back(admin_client):
    answer = admin_client.get("/admin/nowhere/", headers={"Accept-Language": "nl"})
    assert answer.status_code == 404
    assert "Hier is niets" in answer.content.decode()
    assert f'href="{HOME}"' in answer.content.decode()


def test_a_page_that_one_may_not_see_says_who_can_help(client):
    client.force_login(User.objects.create_user("sam", is_staff=True))
    answer = client.get(reverse("admin:accounts_account_changelist"))
    assert answer.status_code == 403
    assert "Ask an owner" in answer.content.decode()


def test_the_page_of_signing_in_has_no_link_that_leads_back_to_it(client):
    assert "Return to site" not in client.get(reverse("admin:login")).content.decode()
