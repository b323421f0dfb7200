"""One form for usernames, tags and 2FA secrets, however they were typed."""

from __future__ import annotations

import re

BASE32 = re.compile(r"[A-Z2-7]{16,}")
TAG_BREAKS = re.compile(r"[,，;\r\n]")


def normal_username(text: str) -> str:
    """Without spaces around it and without the leading @."""
    return text.strip().lstrip("@").strip()


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
