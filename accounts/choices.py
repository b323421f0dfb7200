"""The apps, and why an account needs a person."""

from __future__ import annotations

from functools import lru_cache

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class App(TextChoices):
    TIKTOK = "tiktok", "TikTok"
    INSTAGRAM = "instagram", "Instagram"


class Attention(TextChoices):
    """Why a person must look at an account, in two words; scripts of one's own may bring other reasons."""

    WRONG_PASSWORD = "wrong_password", _("wrong password")
    NO_PASSWORD = "no_password", _("no password")
    NO_SUCH_ACCOUNT = "no_such_account", _("no such account")
    CAPTCHA = "captcha", _("captcha")
    EMAIL_CODE = "email_code", _("code by e-mail")
    SMS_CODE = "sms_code", _("code by SMS")
    APPROVE_ELSEWHERE = "approve_elsewhere", _("approve elsewhere")
    TWO_FACTOR = "two_factor", _("authenticator code")
    CODE_REFUSED = "code_refused", _("code refused")
    SUSPICIOUS_LOGIN = "suspicious_login", _("suspicious login")
    IDENTITY_CHECK = "identity_check", _("identity check")
    ACCOUNT_LOCKED = "account_locked", _("account locked")
    BANNED = "banned", _("banned")
    AGE_GATE = "age_gate", _("date of birth asked")
    CHOICE_NEEDED = "choice_needed", _("choice of the owner")
    UPDATE_REQUIRED = "update_required", _("app update needed")
    PHONE_LOCKED = "phone_locked", _("phone locked")
    UNKNOWN_SCREEN = "unknown_screen", _("unknown screen")
    UNREADABLE_SCREEN = "unreadable_screen", _("unreadable screen")
    NO_PROGRESS = "no_progress", _("no progress")


class AuditAction(TextChoices):
    """What is written down for ever."""

    TOTP_CODE_SHOWN = "totp_code_shown", _("saw the 2FA code")
    SECRET_SHOWN = "secret_shown", _("saw the password")
    EXPORTED = "exported", _("exported passwords")
    IMPORTED = "imported", _("imported a file")
    UNDONE = "undone", _("undid an import")
    TICKET = "ticket", _("sent the password to a phone")
    FACTOR_SET = "factor_set", _("set up a second factor")
    FACTOR_RESET = "factor_reset", _("took away a second factor")


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


@lru_cache(1000)
def app_of_package(package: str) -> str:
    """The app that a package name says, or an empty string."""
    return next((str(app) for app, starts in PACKAGE_PREFIXES.items() if package.startswith(starts)), "")
