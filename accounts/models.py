"""The accounts that the phones are signed in with."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.choices import App, AuditAction, attention_label
from accounts.fields import EncryptedField, TagsField, UsernameField
from accounts.querysets import AccountQuerySet, AuditQuerySet
from accounts.text import email_problem, package_problem, username_problem
from devices.models import Device


class Account(models.Model):
    """One login of one app: credentials, flags, profile figures, the device it lives on."""

    #: Ties the sealed columns to this row; made before the row has an id, so it stands before them.
    vault_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    app = models.CharField(_("app"), max_length=16, choices=App.choices)
    username = UsernameField(_("Username"), max_length=100)
    email = models.CharField(_("Email"), max_length=254, blank=True)
    password = EncryptedField(_("Password"), blank=True, default="")
    totp_secret = EncryptedField(_("2FA secret"), blank=True, default="")
    #: The app refused the password, which has not changed since: no login is started with it.
    password_refused = models.BooleanField(_("password refused"), default=False, editable=False)
    password_changed_at = models.DateTimeField(_("password changed"), null=True, editable=False)
    device = models.ForeignKey(
        Device, models.SET_NULL, null=True, blank=True, related_name="accounts", verbose_name=_("device")
    )
    is_logged_in = models.BooleanField(_("Login Status"), default=False)
    is_enabled = models.BooleanField(_("Status"), default=True)
    nickname = models.CharField(_("nickname"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=64, blank=True)
    followers = models.BigIntegerField(_("followers"), null=True, blank=True)
    following = models.BigIntegerField(_("following"), null=True, blank=True)
    hearts = models.BigIntegerField(_("hearts"), null=True, blank=True)
    videos = models.BigIntegerField(_("videos"), null=True, blank=True)
    friends = models.BigIntegerField(_("friends"), null=True, blank=True)
    package_name = models.CharField(_("package name"), max_length=200, blank=True)
    tags = TagsField(_("tags"), max_length=500, blank=True)
    attention = models.CharField(_("attention"), max_length=32, blank=True, editable=False, db_index=True)
    attention_since = models.DateTimeField(_("attention since"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    last_matched_at = models.DateTimeField(_("last matched"), null=True, editable=False)
    last_synced_at = models.DateTimeField(_("last synced"), null=True, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["app", "username"]
        permissions = [
            ("export_passwords", _("Can export passwords")),
            ("import_accounts", _("Can import accounts")),
            ("view_password", _("Can see passwords")),
            ("view_totp_code", _("Can see 2FA codes")),
        ]
        constraints = [
            models.UniqueConstraint(  # also the index of the import's and the match script's look-up by name
                Lower("username"),
                "app",
                name="one_account_per_username",
                violation_error_message=_("There is already an account with this username in this app."),
            ),
            models.CheckConstraint(condition=~models.Q(username=""), name="account_has_username"),
        ]

    def __str__(self) -> str:
        return f"@{self.username}"

    def clean(self) -> None:
        self.tags = TagsField().to_python(self.tags)
        self.username = UsernameField().to_python(self.username)
        problems = {
            "username": username_problem(self.username) if self.username else _("Fill in the username."),
            "email": email_problem(self.email),
            "package_name": package_problem(self.package_name),
        }
        wrong = {name: problem for name, problem in problems.items() if problem}
        if wrong:
            raise ValidationError(wrong)

    @property
    def attention_text(self) -> str:
        """Why a person is needed, in words; empty when none is."""
        return attention_label(self.attention)


class FiguresOfDay(models.Model):
    """What the profile of an account showed on a day: the last sync of the day counts. Null: it did not show that."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="figures")
    day = models.DateField(_("day"))  #: by TIME_ZONE
    followers = models.BigIntegerField(_("followers"), null=True)
    following = models.BigIntegerField(_("following"), null=True)
    hearts = models.BigIntegerField(_("hearts"), null=True)
    friends = models.BigIntegerField(_("friends"), null=True)
    videos = models.BigIntegerField(_("videos"), null=True)

    class Meta:
        verbose_name = _("figures of a day")
        verbose_name_plural = _("figures of a day")
        ordering = ["day"]
        constraints = [  # also the index of the account's page and of the pruning
            models.UniqueConstraint(fields=["account", "day"], name="figures_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}"


class AuditEvent(models.Model):
    """Who did something with secrets, of which accounts, and from where; added once, never changed.

    No write to this table is ever needed but INSERT, and triggers in the database refuse any other (audit.py).
    """

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("what"), max_length=32, choices=AuditAction.choices)
    #: The one account that it is about. Its number stays when it is deleted.
    account = models.ForeignKey(
        Account, models.DO_NOTHING, null=True, db_constraint=False, related_name="audit_events",
        verbose_name=_("account"),
    )  # fmt: skip
    accounts = models.TextField(_("accounts"), blank=True)  #: the ids of several: "3, 5-17"
    count = models.PositiveIntegerField(_("number of accounts"), default=1)
    subject = models.CharField(_("whose"), max_length=120)  #: the name that it had then
    detail = models.CharField(_("details"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("from"), null=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            # the page of audit events: by time, and by what was done
            models.Index(fields=["at"], name="audit_at"),
            models.Index("action", models.F("id").desc(), name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.get_action_display()} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only ever adds. Raises TypeError for a row that is there already."""
        if not self._state.adding:
            raise TypeError("an audit event is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("an audit event is never deleted")
