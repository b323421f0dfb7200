"""Campaigns, runs, what happened to them, and the evidence they leave."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.choices import App
from accounts.models import Account
from automation.choices import (
    ACTIVE,
    LOGIN,
    OPEN,
    AttentionState,
    CampaignState,
    EventKind,
    MissedPolicy,
    OccurrenceState,
    Outcome,
    OverlapPolicy,
    RunState,
)
from automation.querysets import AttentionQuerySet, CampaignQuerySet, OccurrenceQuerySet, RunQuerySet
from devices.models import Device, Host


class Campaign(models.Model):
    """A script for a set of accounts or devices, now or on a schedule."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    script = models.CharField(_("script"), max_length=32)
    options = models.JSONField(_("options"), default=dict, blank=True)  #: of the script, as its runs get them
    app = models.CharField(
        _("app"), max_length=16, choices=App.choices, blank=True, help_text=_("Empty: both apps.")
    )
    tags = models.CharField(
        _("tags"),
        max_length=200,
        blank=True,
        help_text=_("Only accounts with one of these tags. Empty: all accounts."),
    )
    cron = models.CharField(
        _("schedule"),
        max_length=80,
        blank=True,
        help_text=_("Minute hour day month weekday, as “0 3 * * *”. Empty: by hand."),
    )
    every_minutes = models.PositiveIntegerField(
        _("or every … minutes"),
        null=True,
        blank=True,
        help_text=_("60: every hour on the hour of its zone. No restart and no change of clocks shifts it."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=48, default="UTC", help_text=_("As “Europe/Amsterdam”.")
    )
    missed = models.CharField(
        _("missed starts"),
        max_length=8,
        choices=MissedPolicy.choices,
        default=MissedPolicy.SKIP,
        help_text=_("When the system was down at the time. Of “each”, the last 100."),
    )
    overlap = models.CharField(
        _("if the last is not over"),
        max_length=8,
        choices=OverlapPolicy.choices,
        default=OverlapPolicy.SKIP,
        help_text=_("When a start is due while runs of the one before are not over."),
    )
    spread_minutes = models.PositiveSmallIntegerField(
        _("spread over … minutes"),
        null=True,
        blank=True,
        help_text=_("The runs of a start begin evenly over this time. Empty: as soon as phones are free."),
    )
    canary = models.BooleanField(
        _("try it on a few first"),
        default=False,
        help_text=_("One run, then three, then the rest. If one does not succeed, the campaign is held."),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=CampaignState.choices, default=CampaignState.ACTIVE, editable=False
    )
    priority = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("A higher one goes first; what a person clicks has 10.")
    )
    at_most = models.PositiveSmallIntegerField(
        _("at most at once"), null=True, blank=True, help_text=_("Runs in hand at once. Empty: no limit.")
    )
    per_device_day = models.PositiveSmallIntegerField(
        _("per phone and day"),
        null=True,
        blank=True,
        help_text=_("Runs of this campaign on one phone in a day of its time zone. Empty: no limit."),
    )
    active_from = models.TimeField(_("active from"), null=True, blank=True)
    active_until = models.TimeField(
        _("until"), null=True, blank=True, help_text=_("Before “from”: until that time the next morning.")
    )
    state_reason = models.CharField(max_length=48, blank=True, editable=False)
    #: Starts up to here were looked at; those before it was made, changed or resumed are nobody's.
    checked_at = models.DateTimeField(null=True, default=timezone.now, editable=False)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["name"]
        permissions = [("control_campaign", _("Can pause, resume and stop campaigns"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(cron="") | Q(every_minutes=None), name="campaign_cron_or_interval"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Occurrence(models.Model):
    """One time at which a campaign was due; the constraint makes a double tick harmless."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="occurrences")
    due_at = models.DateTimeField(_("due at"))
    state = models.CharField(
        _("state"), max_length=12, choices=OccurrenceState.choices, default=OccurrenceState.STARTED
    )
    reason = models.CharField(_("reason"), max_length=48, blank=True)
    starts = models.PositiveIntegerField(
        _("starts"), default=1
    )  #: due times that it stands for, itself the last
    stage = models.PositiveSmallIntegerField(_("stage"), default=0)  #: 0: none made; 1, 2: the trial; 3: all
    judged_run = models.PositiveBigIntegerField(default=0)  #: runs up to this number belong to earlier stages
    requested_by = models.CharField(_("requested by"), max_length=80, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = OccurrenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        ordering = ["-due_at"]
        constraints = [models.UniqueConstraint(fields=["campaign", "due_at"], name="occurrence_once")]
        indexes = [
            # campaign tick: which occurrences have something before them
            models.Index("campaign", condition=Q(state__in=OPEN), name="occurrence_open"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.due_at:%Y-%m-%d %H:%M}"


class CampaignEvent(models.Model):
    """A change of a campaign's state; written in the transaction that changes it, never changed."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    old = models.CharField(_("from"), max_length=12, choices=CampaignState.choices)
    new = models.CharField(_("to"), max_length=12, choices=CampaignState.choices)
    reason = models.CharField(_("reason"), max_length=48, blank=True)
    actor = models.CharField(_("by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


class Run(models.Model):
    """One attempt of one script on one device, for one account where the script has one.

    pending -> offered -> running -> finished; offered -> pending when the offer is withdrawn.
    Only automation/transitions.py changes a state.
    """

    script = models.CharField(_("script"), max_length=32)
    account = models.ForeignKey(
        Account, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("account")
    )
    device = models.ForeignKey(
        Device, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("device")
    )
    host = models.ForeignKey(
        Host, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("host")
    )
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("campaign")
    )
    occurrence = models.ForeignKey(
        Occurrence, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("occurrence")
    )
    any_device = models.BooleanField(default=False, editable=False)  #: on whichever phone is used the least
    state = models.CharField(_("state"), max_length=12, choices=RunState.choices, default=RunState.PENDING)
    in_hand = (
        models.GeneratedField(  # a partial index on "state IN (...)" is not used by SQLite; one on this is
            expression=models.Case(models.When(state__in=ACTIVE, then=True), default=False),
            output_field=models.BooleanField(),
            db_persist=True,
        )
    )
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices, blank=True)
    reason = models.CharField(_("reason"), max_length=48, blank=True)
    message = models.TextField(_("message"), blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    screens_hash = models.CharField(_("screen files"), max_length=64, blank=True)
    options = models.JSONField(_("options"), default=dict, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    fence = models.PositiveIntegerField(_("fence"), default=0)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    retry_of = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="retry", verbose_name=_("retry of")
    )
    requested_by = models.CharField(_("requested by"), max_length=80, blank=True)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False)
    not_before = models.DateTimeField(_("not before"))
    start_by = models.DateTimeField(_("to be started by"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_seq = models.PositiveBigIntegerField(
        default=0, editable=False
    )  # number of the report of its start
    offered_at = models.DateTimeField(_("offered"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(state=RunState.RUNNING), name="one_running_run_per_device"
            ),
            models.UniqueConstraint(
                fields=["device"], condition=Q(state=RunState.OFFERED), name="one_offered_run_per_device"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=ACTIVE), name="one_active_run_per_account"
            ),
            models.CheckConstraint(
                condition=Q(state=RunState.FINISHED) ^ Q(outcome=""), name="outcome_exactly_when_finished"
            ),
        ]
        indexes = [
            # dispatch: the next run of each line (campaign and priority) on a free device
            models.Index(
                fields=["device", "campaign", "priority", "not_before", "id"],
                condition=Q(state=RunState.PENDING),
                name="run_next_of_device",
            ),
            # dispatch: which lines there are. A fence is never below 0: only a query that says so can use this index,
            # else PostgreSQL, whose figures are old after many new runs, looks here for the next run of a device (10 s)
            models.Index(
                fields=["campaign", "priority"],
                condition=Q(state=RunState.PENDING, fence__gte=0),
                name="run_lines",
            ),
            # quarantine and the least used phone: what a device did last
            models.Index("device", F("started_at").desc(), name="run_last_of_device"),
            # sweep.expire: runs that may no longer start
            models.Index("start_by", condition=Q(state=RunState.PENDING), name="run_start_by"),
            # sweep, the overview and dispatch: what is in hand, of a host, a device, a campaign, an account
            models.Index(fields=["host"], condition=Q(in_hand=True), name="run_in_hand_of_host"),
            models.Index(fields=["device"], condition=Q(in_hand=True), name="run_in_hand_of_device"),
            models.Index(fields=["campaign"], condition=Q(in_hand=True), name="run_in_hand_of_campaign"),
            models.Index(fields=["account"], condition=Q(in_hand=True), name="run_in_hand_of_account"),
            # overview: what ended today
            models.Index("finished_at", condition=Q(state=RunState.FINISHED), name="run_finished"),
            # campaign page: its last runs
            models.Index("campaign", F("created_at").desc(), name="run_of_campaign"),
            # admin: runs by outcome, newest first
            models.Index("outcome", F("id").desc(), name="run_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.script} {self.account or self.device or ''}".strip()

    def is_startable(self, now: datetime) -> bool:
        """The same question as `RunQuerySet.startable`, of a row that was read with its account."""
        account = self.account
        is_due = self.state == RunState.PENDING and self.not_before <= now < self.start_by
        is_barred = account is not None and (
            not account.is_enabled or (account.password_refused and self.script == LOGIN)
        )
        return is_due and not self.cancel_requested and not is_barred

    @property
    def seconds(self) -> float | None:
        """How long the phone was in hand, once that is over."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class RunEvent(models.Model):
    """What happened to a run; written in the transaction that changes it, never changed."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    kind = models.CharField(_("kind"), max_length=8, choices=EventKind.choices, default=EventKind.STATE)
    old = models.CharField(_("from"), max_length=12, blank=True)
    new = models.CharField(_("to"), max_length=12, blank=True)
    name = models.CharField(_("step"), max_length=80, blank=True)
    seconds = models.FloatField(_("seconds"), null=True)
    ok = models.BooleanField(_("ok"), default=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    actor = models.CharField(_("by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name or f"{self.old} → {self.new}"


class Attention(models.Model):
    """A run that needs a person, until somebody has dealt with it or a later run made it void."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="attention", verbose_name=_("run"))
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, related_name="attentions", verbose_name=_("account")
    )
    device = models.ForeignKey(
        Device, models.SET_NULL, null=True, related_name="attentions", verbose_name=_("device")
    )
    reason = models.CharField(_("reason"), max_length=48)
    since = models.DateTimeField(_("since"), auto_now_add=True)
    state = models.CharField(
        _("state"), max_length=12, choices=AttentionState.choices, default=AttentionState.OPEN
    )
    snoozed_until = models.DateTimeField(_("put off until"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    actor = models.CharField(_("by"), max_length=80, blank=True)
    fingerprint = models.CharField(
        _("screen"), max_length=16, blank=True
    )  #: of an unknown screen's structure
    package = models.CharField(_("package"), max_length=200, blank=True)  #: whose screen it is
    app_version = models.CharField(_("app version"), max_length=64, blank=True)

    objects = AttentionQuerySet.as_manager()

    class Meta:
        verbose_name = _("attention")
        verbose_name_plural = _("attention")
        ordering = ["-since", "-id"]
        default_permissions = ()  # who may see and order runs may do it here
        permissions = [("label_screen", _("Can say what an unknown screen is"))]
        indexes = [
            # attention page, sidebar
            models.Index(F("since").desc(), condition=Q(state="open"), name="attention_open"),
            # unknown screens: the phones that stopped at one
            models.Index(fields=["fingerprint"], condition=Q(state="open"), name="attention_screen"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.account or self.device or ''}".strip()


class Evidence(models.Model):
    """The screen as it was when a run did not succeed: picture and dump, without what was typed in secret."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="evidence")
    screenshot = models.BinaryField(_("screenshot"), default=bytes)
    dump = models.TextField(_("screen dump"), blank=True)
    screens_hash = models.CharField(_("screens"), max_length=64, blank=True)
    app_version = models.CharField(_("app version"), max_length=64, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    size = models.PositiveIntegerField(_("bytes"), default=0)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        # controller/prune.py: the oldest, and how much there is, without reading a picture
        indexes = [models.Index(fields=["at", "size"], name="evidence_by_age")]

    def __str__(self) -> str:
        return f"evidence of run {self.run_id}"


class Sighting(models.Model):
    """In how many runs of a day an alternative of a screen, or of an action on it, was the one that worked."""

    app = models.CharField(_("app"), max_length=32)
    screen = models.CharField(_("screen"), max_length=80)
    alternative = models.CharField(_("alternative"), max_length=80, blank=True)  #: empty: the screen itself
    app_version = models.CharField(_("app version"), max_length=80, blank=True)
    day = models.DateField(_("day"))
    runs = models.PositiveIntegerField(_("runs"), default=0)
    last_at = models.DateTimeField(_("last matched"))

    class Meta:
        verbose_name = _("sighting")
        verbose_name_plural = _("sightings")
        ordering = ["app", "screen", "alternative"]
        constraints = [
            # the upsert of the reports, and the page of drift: by day first
            models.UniqueConstraint(
                fields=["day", "app", "screen", "alternative", "app_version"], name="one_sighting_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.screen} {self.alternative} {self.app_version} {self.day}"
