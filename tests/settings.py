"""Settings of the tests: the real ones with throw-away keys and a folder of their own."""

import atexit
import base64
import os
import shutil
import tempfile

os.environ["PHONERACK_STATE"] = tempfile.mkdtemp(prefix="phonerack-tests-")
atexit.register(shutil.rmtree, os.environ["PHONERACK_STATE"], ignore_errors=True)
os.environ.setdefault("SECRET_KEY", "only-for-tests-and-nowhere-else-0123456789-abcdefgh")
os.environ.setdefault("PHONERACK_FIELD_KEYS", "t1:" + base64.b64encode(bytes(range(32))).decode())
os.environ.setdefault("PHONERACK_CONTROLLER_KEY", bytes(range(32)).hex())

from config.settings import *  # noqa: E402, F403

PHONERACK_SECOND_FACTOR, AXES_ENABLED = "off", False  # tests/config/test_signin.py turns them on
PHONERACK_GUARD_AUDIT = False  # tests empty every table; tests/accounts/test_audit.py puts the triggers back
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in real life: SQLite's shared memory knows neither WAL nor waiting for a lock.
    DATABASES["default"]["TEST"] = {"NAME": str(STATE / "test.sqlite3")}  # noqa: F405
elif "PHONERACK_TEST_DATABASE" in os.environ:
    # Of one half of the tests; the other has the usual one (tests/__main__.py).
    DATABASES["default"]["TEST"] = {"NAME": f"test_phonerack_{os.environ['PHONERACK_TEST_DATABASE']}"}  # noqa: F405
