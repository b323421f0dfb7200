from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import celery, checks  # noqa: F401 - makes the Celery app current, registers the checks
        from config.roles import give_new_permissions
        from config.signin.rules import start_session

        user_logged_in.connect(start_session, dispatch_uid="start_session")
        post_migrate.connect(give_new_permissions, sender=self, dispatch_uid="give_new_permissions")
