"""The machines with phones, and the phones as rows."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.choices import Connection, Health, Hold
from devices.querysets import DeviceQuerySet, HostQuerySet


class Host(models.Model):
    """A machine with phones on USB or cloud phones over TCP; one agent runs on it."""

    name = models.SlugField(_("name"), max_length=48, unique=True)
    is_trusted = models.BooleanField(
        _("trusted"),
        default=False,
        help_text=_("Only a trusted host is given runs, and with them passwords."),
    )
    public_key = models.CharField(_("public key"), max_length=64, blank=True, editable=False)
    version = models.CharField(_("version"), max_length=32, blank=True, editable=False)
    lanes = models.PositiveIntegerField(_("phones it can work on at once"), default=0, editable=False)
    max_runs = models.PositiveSmallIntegerField(
        _("at most at once"), null=True, blank=True, help_text=_("Phones at work. Empty: as its agent says.")
    )
    max_per_hub = models.PositiveSmallIntegerField(
        _("at most per hub"),
        null=True,
        blank=True,
        help_text=_("Phones at work on one hub. Empty: no limit."),
    )
    last_seen = models.DateTimeField(_("last seen"), null=True, editable=False)
    is_silent = models.BooleanField(_("silent"), default=True, editable=False)
    dropped = models.PositiveBigIntegerField(
        _("messages dropped"), default=0, editable=False, help_text=_("On its queue, that were no offers.")
    )
    screens_hash = models.CharField(_("screen files"), max_length=64, blank=True, editable=False)
    screen_faults = models.TextField(_("left out of the screens"), blank=True, editable=False)
    outbox_epoch = models.CharField(max_length=32, blank=True, editable=False)
    applied_seq = models.PositiveBigIntegerField(default=0, editable=False)

    objects = HostQuerySet.as_manager()

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A phone as a row. `serial` is its identity, `address` what adb calls it at the moment."""

    serial = models.CharField(_("serial"), max_length=64, unique=True)
    address = models.CharField(
        _("address"), max_length=64, blank=True, db_index=True
    )  # import: cloud identifier
    label = models.CharField(_("label"), max_length=32, unique=True, null=True, blank=True)
    host = models.ForeignKey(
        Host, models.SET_NULL, null=True, blank=True, related_name="devices", verbose_name=_("host")
    )
    connection = models.CharField(
        _("connection"), max_length=16, choices=Connection.choices, default=Connection.UNKNOWN, editable=False
    )
    health = models.CharField(_("health"), max_length=16, choices=Health.choices, default=Health.GOOD)
    health_why = models.CharField(_("why"), max_length=200, blank=True, editable=False)
    health_since = models.DateTimeField(_("since"), null=True, editable=False)
    hold = models.CharField(_("hold"), max_length=16, choices=Hold.choices, default=Hold.NONE, editable=False)
    hold_until = models.DateTimeField(_("kept until"), null=True, editable=False)  #: null: until released
    model = models.CharField(_("model"), max_length=64, blank=True, editable=False)
    android = models.CharField(_("Android"), max_length=16, blank=True, editable=False)
    battery = models.PositiveSmallIntegerField(_("battery, %"), null=True, editable=False)
    temperature = models.FloatField(_("temperature, °C"), null=True, editable=False)
    hub = models.CharField(_("hub"), max_length=32, blank=True, editable=False)
    port = models.CharField(_("port"), max_length=8, blank=True, editable=False)
    last_seen = models.DateTimeField(_("last seen"), null=True, editable=False)
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["host", "hub", "port", "serial"]

    def __str__(self) -> str:
        return f"{self.label} · {self.serial}" if self.label else self.serial
