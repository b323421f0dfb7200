"""Where a device stands. Connection, health and hold are separate columns."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Connection(TextChoices):
    ONLINE = "online", _("online")
    OFFLINE = "offline", _("offline")
    UNAUTHORIZED = "unauthorized", _("unauthorized")
    UNKNOWN = "unknown", _("unknown")  #: never seen by an agent: only expected


class Health(TextChoices):
    GOOD = "good", _("good")
    QUARANTINED = "quarantined", _("quarantined")
    MAINTENANCE = "maintenance", _("maintenance")
    RETIRED = "retired", _("retired")


class Hold(TextChoices):
    """Who keeps a device from new runs. That a run has it is never stored here: the run itself says so."""

    NONE = "none", _("free")
    PERSON = "person", _("kept for a person")
