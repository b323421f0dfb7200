"""The second factor of those who sign in, and what their groups were given."""

from __future__ import annotations

import secrets
import time
from base64 import b32decode, b32encode
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from django.contrib.auth.models import Permission
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from accounts.fields import EncryptedField

ISSUER = "Phonerack"
KEY_BYTES = 20


class SecondFactor(ThrottlingMixin, Device):
    """An authenticator app. django-otp's own device keeps its secret in clear; this one seals it."""

    vault_id: models.UUIDField[Any, Any] = models.UUIDField(default=uuid4, unique=True, editable=False)
    secret = EncryptedField(_("secret"), default="")
    last_step: models.BigIntegerField[Any, Any] = models.BigIntegerField(
        default=-1
    )  #: of the last code that was used: none is good twice

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        default_permissions = ()  # set up by its user, taken away by whoever may change users

    @classmethod
    def begun_for(cls, user: Any) -> SecondFactor:
        """The one that this user has begun to set up, or a new one."""
        begun: SecondFactor | None = cls.objects.filter(user=user, confirmed=False).first()
        fresh = b32encode(secrets.token_bytes(KEY_BYTES)).decode()
        return begun or cls.objects.create(user=user, name="authenticator", confirmed=False, secret=fresh)

    def verify_token(self, token: str) -> bool:
        """Whether this is a code of now that nobody has used; each wrong one makes the next try wait longer."""
        allowed, _why = self.verify_is_allowed()
        if not allowed:
            return False
        step = self._step_of(token)
        used = step is not None and self._use(step)
        if used:
            self.throttle_reset()
        else:
            self.throttle_increment()
        return used

    def _step_of(self, token: str) -> int | None:
        """The step of 30 seconds that the code is of: this one, the one before or the next."""
        totp = TOTP(b32decode(self.secret.reveal()), drift=0)
        totp.time = time.time()
        typed = "".join(token.split())
        is_code = typed.isascii() and typed.isdecimal() and totp.verify(int(typed), 1, self.last_step + 1)
        return totp.t() if is_code else None

    def _use(self, step: int) -> bool:
        """True for the first of two that come with the same code at once."""
        rows = type(self).objects.filter(pk=self.pk, last_step__lt=step)
        self.last_step = step
        return bool(rows.update(last_step=step))

    def get_throttle_factor(self) -> int:
        return 1

    @property
    def url(self) -> str:
        """What the QR code says to an authenticator app."""
        label = quote(f"{ISSUER}:{self.user.get_username()}")
        return f"otpauth://totp/{label}?{urlencode({'secret': self.secret.reveal(), 'issuer': ISSUER})}"


class GivenPermission(models.Model):
    """That a role was given a permission, so that an update does not give again what somebody took away."""

    role = models.CharField(max_length=150)  #: the name of its group
    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["role", "permission"], name="given_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.permission}"
