"""Pages beyond the stock admin."""

from django.urls import URLPattern, path

from automation.console import views

app_name = "console"

urlpatterns: list[URLPattern] = [
    path("live/", views.live, name="live"),
    path("matches/", views.match_results, name="matches"),
    path("matches/add/", views.match_add, name="match_add"),
    path("evidence/<int:run_id>/screenshot", views.screenshot, name="screenshot"),
    path("evidence/<int:run_id>/dump.txt", views.dump, name="dump"),
]
