"""The apps, and why an account needs a person."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class App(TextChoices):
    TIKTOK = "tiktok", "TikTok"
    INSTAGRAM = "instagram", "Instagram"


#: Packages of each app; the first is the default one. A clone's own name stands on the account.
PACKAGES: dict[str, list[str]] = {
    App.TIKTOK: ["com.zhiliaoapp.musically", "com.ss.android.ugc.trill"],
    App.INSTAGRAM: ["com.instagram.android"],
}

#: Beginnings of package names that tell the app, clones included.
PACKAGE_PREFIXES: dict[str, tuple[str, ...]] = {
    App.TIKTOK: ("com.zhiliaoapp.musically", "com.ss.android.ugc"),
    App.INSTAGRAM: ("com.instagram",),
}


def app_of_package(package: str) -> str:
    """The app that a package name says, or an empty string."""
    return next((app for app, starts in PACKAGE_PREFIXES.items() if package.startswith(starts)), "")
