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
    NONE = "none", _("free")
    RUN = "run", _("in a run")
    PERSON = "person", _("kept for a person")
