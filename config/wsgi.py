"""The web process: gunicorn serves this."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
call_command("check")  # also where somebody starts gunicorn themselves: never without keys
