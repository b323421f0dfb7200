"""What each column of accounts.xlsx holds, in the words of the one who exports it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

GUIDE_SHEET = gettext_lazy("columns")

MEANINGS = {
    "id": gettext_lazy("The account that this row changes. Empty: a new account."),
    "email": gettext_lazy("Login e-mail. Empty: the login uses the username."),
    "pwd": gettext_lazy(
        "Password. Empty keeps the one that is there, #clear# forgets it. Instagram: password:secret with the "
        "2FA secret."
    ),
    "username": gettext_lazy("The handle, unique per app. A leading @ is taken off."),
    "device": gettext_lazy(
        "Serial or cloud identifier of the phone. One that is not known yet becomes an expected phone, if you agree."
    ),
    "device_index": gettext_lazy("The phone's label; finds the phone when “device” is empty."),
    "logined": gettext_lazy("1 = logged in, 0 = not. Empty keeps what is there."),
    "status": gettext_lazy("0 = enabled, 1 = disabled: takes no part in any run. Empty keeps what is there."),
    "nickname": gettext_lazy("Name on the profile, as last synced."),
    "country": gettext_lazy("Country of the profile."),
    "followers": gettext_lazy("How many follow the account."),
    "following": gettext_lazy("How many the account follows."),
    "hearts": gettext_lazy("Likes in all."),
    "videos": gettext_lazy("Published videos."),
    "friends": gettext_lazy("Followers that are followed too."),
    "app": gettext_lazy("tiktok or instagram."),
    "packagename": gettext_lazy("Only for a clone of the app with a package name of its own."),
    "tags": gettext_lazy("Separated by commas, semicolons or new lines."),
    "Error": gettext_lazy("What to mend in this row. It is left out when the file is imported again."),
}


def guide_rows(columns: Sequence[str]) -> list[tuple[str, str, str]]:
    """Name, whether it is needed, and meaning of these columns."""
    return [(name, _("yes") if name == "username" else _("no"), str(MEANINGS[name])) for name in columns]
