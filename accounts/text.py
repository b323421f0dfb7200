"""One form for usernames, tags and 2FA secrets, however they were typed."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

BASE32 = re.compile(r"[A-Z2-7]{16,}")
TAG_BREAKS = re.compile(r"[,，;\r\n]")
NO_USERNAME = re.compile(r"[/\\<>=]")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")


def normal_username(text: str) -> str:
    """Without spaces around it, without the leading @ and without characters that nobody sees."""
    if not text.isascii():
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return text.strip().lstrip("@").strip()


def username_problem(username: str) -> str:
    """Why this (in its one form) is no username; empty when it is one."""
    if len(username.split()) > 1:
        return _("A username has no spaces.")
    if NO_USERNAME.search(username) or not username.isprintable():
        return _("A username has letters, digits, points and underscores, and none of / \\ < > =.")
    return ""


def email_problem(email: str) -> str:
    """Why this is no e-mail address; empty when it is one, or nothing."""
    if not email or EMAIL.fullmatch(email):
        return ""
    return _(
        "This is no e-mail address: it needs one @ and has no spaces. Leave it empty to use the username."
    )


def package_problem(package: str) -> str:
    """Why this is no name of an Android package; empty when it is one, or nothing."""
    if not package or PACKAGE.fullmatch(package):
        return ""
    return _("This is no package name: it looks like com.instagram.android.")


def split_tags(text: str) -> list[str]:
    """The tags of a cell, each once (whatever its case), in the order written."""
    once: dict[str, str] = {}
    for tag in TAG_BREAKS.split(text):
        once.setdefault(" ".join(tag.casefold().split()), " ".join(tag.split()))
    return [tag for tag in once.values() if tag]


def normal_tags(text: str) -> str:
    return ", ".join(split_tags(text))


def normal_totp_secret(text: str) -> str:
    """The base32 secret without spaces, dashes, padding; empty when it is none (16 characters at least)."""
    bare = re.sub(r"[\s-]", "", text).upper().rstrip("=")
    return bare if BASE32.fullmatch(bare) else ""
