"""The apps, and why an account needs a person."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class App(TextChoices):
    TIKTOK = "tiktok", "TikTok"
    INSTAGRAM = "instagram", "Instagram"


class Attention(TextChoices):
    """Reasons that this floor itself knows; scripts may bring others."""

    WRONG_PASSWORD = "wrong_password", _("wrong password")
    CAPTCHA = "captcha", _("captcha")
    CODE_WANTED = "code_wanted", _("a code is wanted")
    CHALLENGE = "challenge", _("suspicious-login check")
    SUSPENDED = "suspended", _("suspended")
    NO_SUCH_ACCOUNT = "no_such_account", _("no such account")
    UNKNOWN_SCREEN = "unknown_screen", _("unknown screen")


def attention_label(code: str) -> str:
    """The reason in words; a reason that is not listed speaks for itself."""
    return str(dict(Attention.choices).get(code, code.replace("_", " ")))


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
    return next((str(app) for app, starts in PACKAGE_PREFIXES.items() if package.startswith(starts)), "")
