"""Pages beyond the stock admin."""

from django.urls import URLPattern, path

from automation.console import attention_views, unknown_views, views

app_name = "console"

urlpatterns: list[URLPattern] = [
    path("attention/", attention_views.page, name="attention"),
    path("attention/live/", attention_views.live, name="attention_live"),
    path("attention/password/", attention_views.password, name="attention_password"),
    path("attention/<int:pk>/code/", attention_views.totp_code, name="attention_code"),
    path("unknown/", unknown_views.page, name="unknown"),
    path("unknown/live/", unknown_views.live, name="unknown_live"),
    path("unknown/undo/", unknown_views.undo, name="label_undo"),
    path("unknown/<slug:fingerprint>/", unknown_views.screen, name="unknown_screen"),
    path("live/", views.live, name="live"),
    path("matches/", views.match_results, name="matches"),
    path("matches/add/", views.match_add, name="match_add"),
    path("evidence/<int:run_id>/screenshot", views.screenshot, name="screenshot"),
    path("evidence/<int:run_id>/dump.txt", views.dump, name="dump"),
]
