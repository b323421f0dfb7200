from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import celery, checks  # noqa: F401 - makes the Celery app current, registers the checks
        from config.signin.rules import start_session

        user_logged_in.connect(start_session, dispatch_uid="start_session")
