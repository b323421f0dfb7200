"""One site: the admin, with the console's pages in it."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.signin.views import second_factor

handler403, handler404 = "config.stopped.not_allowed", "config.stopped.not_found"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include("automation.console.urls")),
    path("admin/second-factor/", second_factor, name="second_factor"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]
