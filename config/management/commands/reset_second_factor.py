from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from accounts.audit import Who
from config.signin.views import reset


class Command(BaseCommand):
    """Take a user's second factor away, for one whose phone is lost; at the next sign-in they set up a new one."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}.")
        taken = reset(user, Who.at_the_shell())
        self.stdout.write("Taken away." if taken else f"{options['username']} has no second factor.")
