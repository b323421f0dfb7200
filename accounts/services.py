"""The only place where the credentials and flags of accounts change."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit import Who
from accounts.choices import App, Attention, AuditAction
from accounts.fields import Secret
from accounts.models import Account, FiguresOfDay
from accounts.signals import account_disabled
from accounts.text import normal_totp_secret
from accounts.totp import current_code
from devices.models import Device

log = logging.getLogger(__name__)

#: The profile figures that a sync brings.
COUNTS = ("followers", "following", "hearts", "friends", "videos")
TEXTS = {"nickname": 200, "country": 64}  #: and how long they may be
FIGURES = (*TEXTS, *COUNTS)


class RunsMayStart(Exception):
    """Written down, but Redis does not answer: a run that was just offered may still start within a minute."""

    def __str__(self) -> str:
        return _(
            "Saved, but Redis does not answer: a run that was just offered may still start within a minute."
        )


class NotDeleted(Exception):
    """Redis does not answer, so a run that was just offered could not be withdrawn: what it is for is kept."""

    def __str__(self) -> str:
        return _(
            "Nothing was deleted: Redis does not answer, and a run that was just offered may still start. "
            "Try again once Redis is back."
        )


class NoSecret(Exception):
    """The account has no 2FA secret."""


# Credentials


def split_password(app: str, text: str) -> tuple[str, str]:
    """Password and 2FA secret of what was typed: for Instagram split at the last colon before a secret."""
    if app != App.INSTAGRAM:
        return text, ""
    if text.endswith(":") and _looks_joined(text.rstrip(":")):
        return text[:-1], ""  # see join_password
    if not _looks_joined(text):
        return text, ""
    password, _colon, secret = text.rpartition(":")
    return password, normal_totp_secret(secret)


def join_password(account: Account) -> str:
    """The one text that `split_password` takes apart again."""
    password: str = account.password.reveal()
    secret: str = account.totp_secret.reveal()
    if account.app != App.INSTAGRAM:
        return password
    if secret:
        return f"{password}:{secret}"
    # A password that only looks like password:secret gets one colon more, which the split takes off again.
    return f"{password}:" if _looks_joined(password.rstrip(":")) else password


def _looks_joined(text: str) -> bool:
    _password, colon, secret = text.rpartition(":")
    return bool(colon and normal_totp_secret(secret))


def put_credentials(
    account: Account, password: str | None = None, totp_secret: str | None = None
) -> list[str]:
    """Put them on the unsaved row (None keeps); returns the names of the columns that changed."""
    wanted = {"password": password, "totp_secret": totp_secret}
    changed = [
        name for name, text in wanted.items() if text is not None and not _same(getattr(account, name), text)
    ]
    for name in changed:
        setattr(account, name, wanted[name])
    if "password" in changed:
        account.password_refused, account.password_changed_at = False, timezone.now()
        changed += ["password_refused", "password_changed_at"]
    if "password" in changed and account.attention == Attention.WRONG_PASSWORD:
        account.attention, account.attention_since = "", None
        changed += ["attention", "attention_since"]
    return changed


def _same(secret: Secret, text: str) -> bool:
    return secret.matches(text) if secret and text else bool(secret) == bool(text)


def set_credentials(
    account: Account, password: str | None = None, totp_secret: str | None = None
) -> list[str]:
    """Change the password or the 2FA secret (None keeps); returns the columns that changed.

    A new password also clears the attention "wrong password".
    """
    changed = put_credentials(account, password, totp_secret)
    if changed:
        account.save(update_fields=[*changed, "updated_at"])
    return changed


@transaction.atomic
def show_totp_code(account: Account, actor: str, address: str | None) -> tuple[str, int]:
    """(the 2FA code of now, seconds that it is good for). Without its audit row, no code.

    Raises NoSecret, or Unreadable when the secret does not open.
    """
    if not account.totp_secret:
        raise NoSecret
    audit.note(AuditAction.TOTP_CODE_SHOWN, Who(actor, address), account)
    return current_code(account.totp_secret.reveal())


@transaction.atomic
def show_secrets(account: Account, who: Who) -> tuple[str, str]:
    """(password, 2FA secret) in clear. Without its audit row, neither. Raises Unreadable when one does not open."""
    audit.note(AuditAction.SECRET_SHOWN, who, account)
    return account.password.reveal(), account.totp_secret.reveal()


# Flags


def set_enabled(accounts: Iterable[Account], enabled: bool, actor: str = "") -> int:
    """Enable or disable; returns how many changed. Runs of disabled ones end before the reply is sent."""
    ids = [account.pk for account in accounts]
    with transaction.atomic():
        rows = Account.objects.filter(pk__in=ids, is_enabled=not enabled)
        changed = rows.update_in_order(is_enabled=enabled, updated_at=timezone.now())
        if not enabled:
            announce_disabled(ids, actor)
    log.info(
        "%s of %s accounts %s by %s", changed, len(ids), "enabled" if enabled else "disabled", actor or "-"
    )
    return changed


def announce_disabled(account_ids: Iterable[int], actor: str = "") -> None:
    """Tell the floors above, once the transaction at hand is committed."""
    ids = list(account_ids)
    if ids:
        transaction.on_commit(lambda: _send_disabled(ids, actor))


def _send_disabled(ids: list[int], actor: str) -> None:
    """Raises RunsMayStart when a receiver does."""
    account_disabled.send(sender=Account, account_ids=ids, actor=actor)


def set_logged_in(accounts: Iterable[Account], logged_in: bool) -> int:
    """Note whether the app's session is signed in; returns how many changed."""
    rows = Account.objects.filter(pk__in=[account.pk for account in accounts], is_logged_in=not logged_in)
    return rows.update_in_order(is_logged_in=logged_in, updated_at=timezone.now())


def assign_device(accounts: Iterable[Account], device: Device | None) -> int:
    """Put accounts on a phone, or on none; returns how many there are."""
    rows = Account.objects.filter(pk__in=[account.pk for account in accounts])
    return rows.update_in_order(device=device, updated_at=timezone.now())


@transaction.atomic
def save_edited(account: Account, columns: list[str] | None, actor: str = "") -> None:
    """Save a row that a person edited: these columns (None: a new row). If that disables it, it is told."""
    account.save(update_fields=None if columns is None else [*columns, "updated_at"])
    if not account.is_enabled and (columns is None or "is_enabled" in columns):
        announce_disabled([account.pk], actor)


# Attention


def mark_attention(account: Account, reason: str) -> None:
    """A person must look, for this reason. The same reason again keeps the time since when."""
    rows = Account.objects.filter(pk=account.pk).exclude(attention=reason)
    rows.update(attention=reason, attention_since=timezone.now())


def refuse_password(account: Account, tried_at: datetime) -> bool:
    """The app refused the password that was handed out then: no login is started with it until it changes.

    False when it has changed meanwhile, so that another one was refused.
    """
    same = Q(password_changed_at=None) | Q(password_changed_at__lte=tried_at)
    return bool(Account.objects.filter(same, pk=account.pk).update(password_refused=True))


def clear_attention(account: Account) -> None:
    rows = Account.objects.filter(pk=account.pk).exclude(attention="")
    rows.update(attention="", attention_since=None)


# What the scripts found


@transaction.atomic
def record_figures(account: Account, figures: Mapping[str, object], when: datetime) -> None:
    """Write the profile figures of a sync, and the counts among them once more under their day.

    What it could not read stays as it was. Accounts of other apps than TikTok have no figures: nothing is written.
    """
    if account.app != App.TIKTOK:
        return
    counts = {name: value for name in COUNTS if _is_count(value := figures.get(name))}
    texts = {name: str(figures[name])[:most] for name, most in TEXTS.items() if figures.get(name)}
    rows = Account.objects.filter(pk=account.pk)
    rows.update(**counts, **texts, last_synced_at=when, updated_at=when)
    if counts:
        day = timezone.localdate(when)
        FiguresOfDay.objects.update_or_create(account=account, day=day, defaults=counts)
        _prune_figures(account, day)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _prune_figures(account: Account, today: date) -> None:
    """Each sync takes the account's oldest days away, so that nothing else has to."""
    days = settings.PHONERACK_FIGURES_DAYS
    if days > 0:
        FiguresOfDay.objects.filter(account=account, day__lte=today - timedelta(days=days)).delete()
