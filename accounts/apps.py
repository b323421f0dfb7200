from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts.audit_guard import guard

        if settings.PHONERACK_GUARD_AUDIT:
            # After every migrate: SQLite drops a table's triggers whenever a migration makes the table anew.
            post_migrate.connect(guard, sender=self, dispatch_uid="guard_audit")
