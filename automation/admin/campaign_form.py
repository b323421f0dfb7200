"""The form of a campaign: says of each wrong entry what would be right."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from automation.admin import option_fields
from automation.choices import MissedPolicy, OverlapPolicy
from automation.console.looks import script_label
from automation.models import Campaign
from automation.scripts.base import SCRIPTS

FIELDS = 5  #: of a cron line: minute, hour, day, month, weekday
LONGEST_INTERVAL = 7 * 24 * 60
LONGEST_SPREAD = 24 * 60
#: Fields that say when it is due.
SCHEDULE = {"cron", "every_minutes", "time_zone"}


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    script = forms.ChoiceField(label=capfirst(gettext_lazy("script")), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Campaign
        # `options` has a field for each option of the script instead, see option_fields.py.
        fields = (
            "name", "script", "app", "tags", "cron", "every_minutes", "time_zone", "missed", "overlap", "canary",
            "spread_minutes", "priority", "active_from", "active_until", "at_most", "per_device_day",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["script"].choices = [(name, script_label(name)) for name in self._scripts()]  # type: ignore[attr-defined]
        for name, made in option_fields.with_options(self.instance.options, self.instance.script).items():
            self.fields[name] = made

    def _scripts(self) -> list[str]:
        """Those that are known, and that of this campaign though it be gone."""
        gone = {self.instance.script} - {"", *SCRIPTS}
        return [*SCRIPTS, *gone]

    def clean_script(self) -> str:
        script: str = self.cleaned_data["script"]
        if script not in SCRIPTS:
            raise forms.ValidationError(_("This script is not known here. ./run doctor says more."))
        return script

    def clean_cron(self) -> str:
        cron = " ".join(self.cleaned_data["cron"].split())
        try:
            if cron and len(cron.split()) != FIELDS:
                raise CronSimError
            if cron:
                next(CronSim(cron, timezone.now()))
        except (CronSimError, StopIteration) as error:
            raise forms.ValidationError(
                _(
                    "“%(cron)s” is no schedule. Write minute, hour, day, month and weekday, "
                    "as “0 3 * * *” for every night at 3:00."
                ),
                params={"cron": cron},
            ) from error
        return cron

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(
                _("“%(zone)s” is no time zone. Write one as “Europe/Amsterdam” or “UTC”."),
                params={"zone": zone},
            )
        return zone

    def clean_every_minutes(self) -> int | None:
        return self._within("every_minutes", LONGEST_INTERVAL)

    def clean_spread_minutes(self) -> int | None:
        return self._within("spread_minutes", LONGEST_SPREAD)

    def clean_at_most(self) -> int | None:
        return self._not_zero("at_most")

    def clean_per_device_day(self) -> int | None:
        return self._not_zero("per_device_day")

    def clean(self) -> dict[str, Any]:
        """What does not go together."""
        data = {**dict.fromkeys(self.fields), **self.cleaned_data}
        script = SCRIPTS.get(data["script"] or "")
        if script is not None:
            self.instance.options = option_fields.read(script, self)
        self._check_when(data)
        self._check_how(data)
        self._check_hours(data)
        return self.cleaned_data

    def _check_when(self, data: dict[str, Any]) -> None:
        if data["cron"] and data["every_minutes"]:
            self.add_error("every_minutes", _("Give a schedule or an interval, not both."))
        if (data["missed"], data["overlap"]) == (MissedPolicy.ALL, OverlapPolicy.SKIP):
            self.add_error(
                "missed",
                _(
                    "Only the first of them would start, as the others come before it is over. "
                    "Choose another answer there, or “once” here."
                ),
            )

    def _check_how(self, data: dict[str, Any]) -> None:
        if data["canary"] and data["overlap"] == OverlapPolicy.ALLOW:
            self.add_error(
                "canary",
                _(
                    "A trial must be over before the next start. Choose “leave it out” or “when they are over”."
                ),
            )
        every, spread = data["every_minutes"], data["spread_minutes"]
        if every and spread and spread > every:
            self.add_error(
                "spread_minutes",
                _("The next start is due after %(every)s minutes: spread over that at most.")
                % {"every": every},
            )

    def _check_hours(self, data: dict[str, Any]) -> None:
        start, end = data["active_from"], data["active_until"]
        if (start is None) != (end is None) and not {"active_from", "active_until"} & set(self.errors):
            missing = "active_from" if start is None else "active_until"
            self.add_error(missing, _("Give both times, or none for the whole day."))
        elif start is not None and start == end:
            self.add_error("active_until", _("Both times are the same. Leave both empty for the whole day."))

    def _within(self, name: str, most: int) -> int | None:
        minutes: int | None = self.cleaned_data[name]
        if minutes is not None and not 1 <= minutes <= most:
            raise forms.ValidationError(
                _("Give 1 to %(most)s minutes, or leave it empty."), params={"most": most}
            )
        return minutes

    def _not_zero(self, name: str) -> int | None:
        number: int | None = self.cleaned_data[name]
        if number == 0:
            raise forms.ValidationError(_("With 0 nothing would ever start. Leave it empty for no limit."))
        return number
