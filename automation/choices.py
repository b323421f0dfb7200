"""Where a run is in life (state), and how it ended (outcome)."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

LOGIN = "login"  #: the script that types passwords


class RunState(TextChoices):
    PENDING = "pending", _("waiting")
    OFFERED = "offered", _("offered")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")


#: States in which a run has, or may any moment have, its phone in hand.
ACTIVE = (RunState.OFFERED, RunState.RUNNING)


class CampaignState(TextChoices):
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")  #: by a person: nothing new starts, what waits goes on waiting
    HELD = "held", _("held")  #: by itself: its first runs went wrong, a person must look
    STOPPED = "stopped", _("stopped")  #: by a person: what waited was canceled


#: States in which what waits goes on waiting: its time does not run out meanwhile.
STANDING = (CampaignState.PAUSED, CampaignState.HELD)


class MissedPolicy(TextChoices):
    """What becomes of starts that nobody saw in time: the system was down."""

    SKIP = "skip", _("leave them out")
    ONCE = "once", _("start once for all of them")
    ALL = "all", _("start each of them")


class OverlapPolicy(TextChoices):
    """What becomes of a start while runs of the one before are not over."""

    SKIP = "skip", _("leave it out")
    QUEUE = "queue", _("start it when they are over")
    ALLOW = "allow", _("start it at once all the same")


class OccurrenceState(TextChoices):
    STARTED = "started", _("started")
    QUEUED = "queued", _("queued")  #: waits until the one before is over
    HELD = "held", _("held")  #: its trial went wrong; the rest was not made
    SKIPPED = "skipped", _("left out")
    STOPPED = "stopped", _("stopped")  #: by a person
    OVER = "over", _("over")  #: all its runs have ended


#: States in which an occurrence has something before it.
OPEN = (OccurrenceState.STARTED, OccurrenceState.QUEUED, OccurrenceState.HELD)

#: Why an occurrence or a campaign is where it is.
OCCURRENCE_REASONS = {
    "missed": _("The system was down at that time."),
    "not_over": _("Runs of the start before were not over."),
    "queue_full": _("Too many earlier starts were queued already."),
    "paused": _("The campaign was paused."),
    "held": _("The campaign was held."),
    "trial_went_wrong": _("Runs of the trial did not succeed: look at them, then go on or stop."),
    "stopped": _("Somebody stopped the campaign."),
}


class Outcome(TextChoices):
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")  #: the account or the app said no
    NEEDS_PERSON = "needs_person", _("needs a person")
    ERRORED = "errored", _("errored")  #: our defect
    CANCELED = "canceled", _("canceled")
    SKIPPED = "skipped", _("skipped")
    LOST = "lost", _("lost")  #: the host died: nobody knows


class AttentionState(TextChoices):
    """What became of a run that needed a person."""

    OPEN = "open", _("open")
    SOLVED = "solved", _("solved")  #: somebody did it: the script was asked for again
    GIVEN_UP = "given_up", _("given up")
    PASSED = "passed", _("passed")  #: by itself: a later run succeeded, or needs a person in its place


class EventKind(TextChoices):
    STATE = "state", _("state")
    STEP = "step", _("step")
    LATE = "late", _("late report")  #: arrived after the end; changed nothing


#: Reasons after which the same is tried again, as a new run that looks at the screen first.
RETRIED = frozenset(
    {"phone_offline", "phone_hung", "phone_taken", "adb_server_down", "ui_service_down", "screen_changed",
     "screens_away", "host_silent", "agent_restarted", "not_in_hand", "cut_off", "agent_stopping", "deadline"}
)  # fmt: skip
MAX_ATTEMPTS = 3
RETRY_SECONDS = (5, 30)  #: wait before the second and the third attempt
