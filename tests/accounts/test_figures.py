"""The figures of each day: kept by a sync, pruned by the next, drawn on the account's page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from accounts import charts, services
from accounts.models import Account, FiguresOfDay
from automation import services as runs
from automation.scripts.base import SCRIPTS
from tests.automation.rows import host_with_key, running_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def read(account: Account) -> list[tuple[object, ...]]:
    return list(account.figures.values_list("day", "followers", "hearts"))


def keep(account: Account, days: int, today: date | None = None) -> None:
    """A row for each of the last days, the followers growing."""
    today = today or timezone.localdate()
    FiguresOfDay.objects.bulk_create(
        FiguresOfDay(
            account=account, day=today - timedelta(days=back), followers=12_000 - 10 * back, hearts=7
        )
        for back in range(days)
    )


def page_of(client, account: Account, query: str = "") -> str:
    url = reverse("admin:accounts_account_change", args=[account.pk])
    return client.get(url + query).content.decode()


def test_a_sync_writes_the_figures_and_the_row_of_its_day():
    account = make_account(followers=5)
    services.record_figures(account, {"followers": 6, "hearts": 9, "nickname": "Ann"}, NOON)
    services.record_figures(account, {"followers": 8}, NOON + timedelta(days=1))
    account.refresh_from_db()
    assert (account.followers, account.hearts, account.nickname) == (8, 9, "Ann")
    assert read(account) == [(date(2026, 5, 1), 6, 9), (date(2026, 5, 2), 8, None)]


def test_the_last_sync_of_a_day_counts_and_what_it_did_not_show_stays():
    account = make_account()
    services.record_figures(account, {"followers": 6, "hearts": 9}, NOON)
    services.record_figures(account, {"followers": 7}, NOON + timedelta(hours=2))
    assert read(account) == [(date(2026, 5, 1), 7, 9)]


def test_a_day_is_one_of_the_time_zone_of_the_settings(settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    with timezone.override("Pacific/Auckland"):
        account = make_account()
        services.record_figures(account, {"followers": 1}, NOON + timedelta(hours=3))
        assert read(account)[0][0] == date(2026, 5, 2)


def test_what_is_no_count_is_not_written():
    account = make_account(followers=5)
    wrong = {"followers": "many", "hearts": -1, "videos": True, "friends": 2**63, "following": 1.5}
    services.record_figures(account, wrong, NOON)
    account.refresh_from_db()
    assert (account.followers, account.hearts, read(account)) == (5, None, [])


def test_instagram_accounts_have_no_figures(admin_client):
    account = make_account(app="instagram")
    services.record_figures(account, {"followers": 6, "nickname": "Ann"}, NOON)
    account.refresh_from_db()
    assert (account.followers, account.nickname, account.last_synced_at, read(account)) == (
        None,
        "",
        None,
        [],
    )
    page = page_of(admin_client, account)
    assert "Profile figures" not in page


def test_days_older_than_the_settings_say_go_with_the_next_sync(settings):
    settings.PHONERACK_FIGURES_DAYS = 10
    account, other = make_account(), make_account()
    keep(account, 20, NOON.date() - timedelta(days=1))
    keep(other, 20, NOON.date())
    services.record_figures(account, {"followers": 1}, NOON)
    assert (account.figures.count(), other.figures.count()) == (10, 20)
    settings.PHONERACK_FIGURES_DAYS = 0
    services.record_figures(other, {"followers": 1}, NOON)
    assert other.figures.count() == 20


def test_the_end_of_a_sync_writes_them_and_says_who_is_signed_in():
    phone = make_device(host=host_with_key())
    account = make_account(device=phone)
    run = running_run(phone, account=account)
    type(run).objects.update(script="sync")
    runs.finish_run(run, "succeeded", reason="synced", result={"logined": True, "followers": 3})
    account.refresh_from_db()
    assert (account.is_logged_in, account.followers, account.figures.count()) == (True, 3, 1)
    run = running_run(phone, account=account)
    type(run).objects.filter(pk=run.pk).update(script="sync")
    runs.finish_run(run, "failed", reason="not_signed_in", result={"logined": False})
    account.refresh_from_db()
    assert (account.is_logged_in, account.followers, account.figures.count()) == (False, 3, 1)


def test_the_action_is_called_as_the_users_page_calls_it(admin_client):
    make_account()
    page = admin_client.get(reverse("admin:accounts_account_changelist")).content.decode()
    assert re.search(r'<option value="sync">\s*Sync TikTok data\s*</option>', page)
    assert SCRIPTS["sync"].label == "Sync TikTok data"


def test_the_page_draws_each_figure_and_tells_the_same_in_words_and_as_a_table(admin_client):
    account = make_account()
    keep(account, 40)
    page = page_of(admin_client, account)
    drawings = [ET.fromstring(one) for one in re.findall(r"<svg viewBox.*?</svg>", page, flags=re.DOTALL)]
    assert len(drawings) == 2
    for drawing in drawings:
        assert drawing.get("role") == "img"
        named = {one.get("id"): one.text for one in drawing.iter() if one.get("id")}
        assert all(named[one] for one in drawing.get("aria-labelledby", "").split())
    assert "Read on 40 days." in page
    assert "Lowest 11,610, highest 12,000." in page
    assert page.count('<th scope="row">') == 40
    part = page[page.index('id="figures"') :]
    part = part[: part.index("</section>")]
    assert not re.search(r"<script|style=|\son\w+=", part)


@pytest.mark.parametrize(("query", "days"), [("", 90), ("?days=30", 30), ("?days=365", 200), ("?days=x", 90)])
def test_the_time_that_is_shown_can_be_chosen(admin_client, query, days):
    account = make_account()
    keep(account, 200)
    assert page_of(admin_client, account, query).count('<th scope="row">') == days


def test_before_the_first_sync_the_page_says_what_is_to_be_done(admin_client):
    assert "each “Sync TikTok data” adds a day" in page_of(admin_client, make_account())


def test_one_day_is_a_point_and_what_does_not_change_is_a_line():
    account = make_account()
    keep(account, 1)
    (chart, _hearts) = charts.charts(list(account.figures.all()))
    assert (len(chart.points), chart.change, chart.told.startswith("Read on one day.")) == (1, "±0", True)
    keep(make_account(), 3)
    rows = list(FiguresOfDay.objects.exclude(account=account).order_by("day"))
    (_followers, hearts) = charts.charts(rows)
    assert len({point.y for point in hearts.points}) == 1


def test_a_drawing_stays_within_its_frame_and_speaks_the_language():
    account = make_account()
    keep(account, 365)
    with translation.override("nl"):
        (chart, _hearts) = charts.charts(list(account.figures.all()))
    places = [tuple(map(float, place.split(","))) for place in chart.line.split()]
    assert len(places) == 365
    assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.HEIGHT for x, y in places)
    assert (chart.now, chart.change) == ("12.000", "+3.640")
