"""Pages beyond the stock admin."""

from django.urls import URLPattern

app_name = "console"

urlpatterns: list[URLPattern] = []
