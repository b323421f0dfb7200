"""Django's settings. Every value that differs between machines comes from the environment (`config/env.py`)."""

from __future__ import annotations

import os
from datetime import timedelta

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from config.env import BASE, env, state_folder

STATE = state_folder()

DEBUG = env.bool("DEBUG", default=False)
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.errors.NoValues"
#: Signs cookies. Without one the program does not start (check phonerack.E001).
NO_SECRET_KEY = "none"  # noqa: S105 - a name for its absence
SECRET_KEY = env.str("SECRET_KEY", default="") or NO_SECRET_KEY
#: "id:base64key,id:base64key": the first key encrypts, all of them decrypt. See accounts/keyring.py.
PHONERACK_FIELD_KEYS = env.str("PHONERACK_FIELD_KEYS", default="")
#: X25519 private key of the controller, hex. Seals the tickets.
PHONERACK_CONTROLLER_KEY = env.str("PHONERACK_CONTROLLER_KEY", default="")
#: New hosts are given runs at once (a demo), or wait for someone to trust them.
PHONERACK_TRUST_NEW_HOSTS = env.bool("PHONERACK_TRUST_NEW_HOSTS", default=False)
#: Hours after which a run that could not start ends as skipped.
PHONERACK_START_WITHIN_HOURS = env.float("PHONERACK_START_WITHIN_HOURS", default=24.0)
#: Seconds a run may last.
PHONERACK_RUN_SECONDS = env.float("PHONERACK_RUN_SECONDS", default=300.0)
#: So many different accounts in a row failed on one phone: it is quarantined. 0: never.
PHONERACK_QUARANTINE_AFTER = env.int("PHONERACK_QUARANTINE_AFTER", default=5)
#: Minutes that a phone is kept for the person that a run on it needs. 0: never.
PHONERACK_HOLD_MINUTES = env.float("PHONERACK_HOLD_MINUTES", default=30.0)
#: Days for which the profile figures of an account are kept, one row a day. 0: for ever.
PHONERACK_FIGURES_DAYS = env.int("PHONERACK_FIGURES_DAYS", default=400)
#: A match puts accounts that the list does not know into it by itself; if not, it offers them to a person.
PHONERACK_MATCH_ADDS = env.bool("PHONERACK_MATCH_ADDS", default=True)
#: Percent of battery below which, and degrees Celsius above which, a phone is given no run.
PHONERACK_MIN_BATTERY = env.int("PHONERACK_MIN_BATTERY", default=10)
PHONERACK_MAX_TEMPERATURE = env.float("PHONERACK_MAX_TEMPERATURE", default=45.0)
#: Days that the picture and the dump of a run are kept, and megabytes of them in all; the oldest go first. 0: no limit.
PHONERACK_EVIDENCE_DAYS = env.float("PHONERACK_EVIDENCE_DAYS", default=30.0)
PHONERACK_EVIDENCE_MB = env.float("PHONERACK_EVIDENCE_MB", default=2000.0)
#: Days that runs are kept after their end, with their events, and starts of campaigns after their time. 0: for ever.
PHONERACK_HISTORY_DAYS = env.float("PHONERACK_HISTORY_DAYS", default=400.0)
#: Seconds that a controller goes on applying reports after SIGTERM, while it offers nothing more.
PHONERACK_DRAIN_SECONDS = env.float("PHONERACK_DRAIN_SECONDS", default=8.0)
#: The operator's own screen files: read over the shipped ones, written when somebody says what an unknown screen is.
if "PHONERACK_SCREENS" not in os.environ:
    os.environ["PHONERACK_SCREENS"] = str(STATE / "screens")
    (STATE / "screens").mkdir(exist_ok=True)
#: Triggers keep audit events from being changed or deleted, by whatever reaches the database. Off in tests only.
PHONERACK_GUARD_AUDIT = True
#: Redis (or Valkey) that carries offers and reports. It is never the truth.
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
#: Behind TLS (production): secure cookies, HSTS and the redirect to https.
USE_TLS = env.bool("USE_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = USE_TLS
SECURE_HSTS_SECONDS = 31_536_000 if USE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = USE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_TLS else None
SESSION_COOKIE_NAME = env.str("SESSION_COOKIE_NAME", default="phonerack_session")
CSRF_COOKIE_NAME = SESSION_COOKIE_NAME.replace("session", "csrf")
#: A session ends so long after the sign-in, whatever happens; and so long after the last click (0: never).
SESSION_COOKIE_AGE = int(env.float("PHONERACK_SESSION_HOURS", default=12.0) * 3600)
PHONERACK_IDLE_MINUTES = env.int("PHONERACK_IDLE_MINUTES", default=60)
#: Who must have a second factor: "secrets" (whoever may see or export one), "all" or "off".
PHONERACK_SECOND_FACTOR = env.str("PHONERACK_SECOND_FACTOR", default="secrets")
#: What a page may load. Scripts: our own files only, none in the page. Alpine, which the admin's look is built on,
#: makes functions of the texts in x-attributes and needs 'unsafe-eval'; it sets styles, as do charts and bars.
PHONERACK_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
#: Five wrong passwords for a user from one address: both wait a quarter of an hour. `manage.py axes_reset` lifts it.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "accounts.where.address_of"
AXES_LOCKOUT_CALLABLE = "config.signin.views.locked_out"
#: axes keeps and logs what was sent with a wrong password, except these; people type a password where the name goes.
AXES_SENSITIVE_PARAMETERS = ["username", "password", "own_password", "csrfmiddlewaretoken"]
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "config",
    "automation",
    "accounts",
    "devices",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.signin.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.signin.middleware.SessionLimitMiddleware",
    "config.signin.middleware.SecondFactorMiddleware",
    "config.middleware.NotWhollyDoneMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{STATE / 'phonerack.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets pages read while the controller writes; IMMEDIATE waits for the lock instead of failing midway; the 2 MB
    # that SQLite keeps of the file by itself are few for 100,000 runs that wait.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # PostgreSQL gets statements and values apart, and keeps the plans of those that come often: a tenth of the
    # controller's time. A pooler in between must know prepared statements, as PgBouncer does from 1.21 on.
    # A server that has gone without a word is given up in some 25 seconds. What DATABASE_URL says goes before.
    DATABASES["default"]["OPTIONS"] = {
        "server_side_binding": True,
        "prepare_threshold": 5,
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("nl", _("Dutch"))]
LOCALE_PATHS = [BASE / "config" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
#: Serves the static files of the installed packages without a collect step.
WHITENOISE_USE_FINDERS = True

#: An upload (it holds passwords) stays in memory; nothing is written to a temporary file below this size.
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # "all that match" on a page of 5,000 phones

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # SQL statements carry what is written; they are never logged, whatever LOG_LEVEL says.
    "loggers": {"django.db.backends": {"level": "INFO"}, "axes": {"level": "WARNING"}},
}

SHADES = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
TEAL = (
    "240 253 250", "204 251 241", "153 246 228", "94 234 212", "45 212 191", "20 184 166",
    "13 148 136", "15 118 110", "17 94 89", "19 78 74", "4 47 46",
)  # fmt: skip
UNFOLD = {
    "SITE_TITLE": "Phonerack",
    "SITE_HEADER": "Phonerack",
    "SITE_URL": None,  # the admin is the whole site
    "SITE_SYMBOL": "stacks",
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {
        "primary": dict(zip(SHADES, TEAL, strict=True)),
    },
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "config.sidebar.navigation"},
    "COMMAND": {"search_models": ["accounts.account", "devices.device"]},
    "DASHBOARD_CALLBACK": "automation.console.views.dashboard",
    "STYLES": [lambda request: static("phonerack/console.css")],
    "SCRIPTS": [lambda request: static("phonerack/console.js")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("phonerack/icon.svg")}
    ],
}
