"""An import on its way: what was uploaded, what it would do, how far it is, and how to take it back."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.choices import App
from accounts.keyring import key_ring


class ImportState(TextChoices):
    """checking -> ready -> importing -> done -> undoing -> undone; failed or canceled before it is done."""

    CHECKING = "checking", _("being checked")
    READY = "ready", _("waits for your answer")
    IMPORTING = "importing", _("being imported")
    DONE = "done", _("imported")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")
    CANCELED = "canceled", _("canceled")
    FAILED = "failed", _("failed")


#: States in which a process works on an import, or ought to.
WORKING = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)
#: States in which what was imported can be taken back.
IMPORTED = (ImportState.DONE, ImportState.CANCELED, ImportState.FAILED)


class ImportJob(models.Model):
    """One import. The rows stand in its parts; the upload, sealed, in a file of its own until it is used."""

    state = models.CharField(
        _("state"), max_length=12, choices=ImportState.choices, default=ImportState.CHECKING
    )
    file_name = models.CharField(_("file"), max_length=200)
    upload = models.CharField(max_length=32, blank=True, editable=False)
    app = models.CharField(_("app"), max_length=16, choices=App.choices, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("user")
    )
    actor = models.CharField(_("by"), max_length=150, blank=True)
    address = models.GenericIPAddressField(_("from"), null=True)
    language = models.CharField(max_length=8, blank=True)  #: of the one who reads what is wrong
    is_large = models.BooleanField(default=False)  #: done by the worker, in chunks
    good_rows = models.BooleanField(_("only the good rows"), default=False)
    expect_phones = models.BooleanField(_("add expected phones"), default=False)
    first_apps = models.JSONField(default=list)  #: apps without an account when it was confirmed
    first_rows = models.JSONField(default=list)  #: rows between which names move: imported together, first
    warnings = models.JSONField(default=list)
    warning_count = models.PositiveIntegerField(default=0)
    message = models.TextField(_("message"), blank=True)
    total = models.PositiveIntegerField(_("rows"), default=0)
    position = models.PositiveIntegerField(default=0)  #: rows that are dealt with
    new = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    invalid = models.PositiveIntegerField(_("invalid"), default=0)
    expected_devices = models.PositiveIntegerField(default=0)
    undone = models.PositiveIntegerField(_("undone"), default=0)
    left = models.JSONField(default=list)  #: rows that undo left as they are, and why
    left_count = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)  #: of the process that works on it
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        indexes = [
            # the worker's tick: what waits to be worked on
            models.Index("state", condition=models.Q(state__in=WORKING), name="import_working"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.file_name}"

    def summary(self) -> str:
        """One line: 3 new, 1 changed, 0 unchanged, 0 invalid."""
        from accounts.excel.preview import Preview

        return Preview(self.new, self.changed, self.unchanged, self.invalid).summary()


class PartKind(TextChoices):
    CHECKED = "checked", _("what rows would do")
    WRITTEN = "written", _("what rows did")


class ImportPart(models.Model):
    """Some rows of an import, sealed: what they would change, what is wrong with them, or what they changed."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=8, choices=PartKind.choices)
    changes = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    sealed = models.BinaryField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.job_id} {self.kind} {self.pk}"

    def put(self, content: dict[str, Any]) -> None:
        plain = zlib.compress(json.dumps(content, cls=DjangoJSONEncoder).encode(), 1)
        self.sealed = key_ring().seal(plain, self._bound_to())

    def content(self) -> dict[str, Any]:
        """What was put in. Raises Unreadable when its key is gone."""
        plain = key_ring().open(bytes(self.sealed), self._bound_to())
        content: dict[str, Any] = json.loads(zlib.decompress(plain))
        return content

    def _bound_to(self) -> str:
        return f"import:{self.job_id}:{self.kind}"
