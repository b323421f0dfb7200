"""What can be made to go wrong with a simulated phone while it runs."""

from __future__ import annotations

OFFLINE = "offline"  #: the cable is out: connections are cut and refused
UNAUTHORIZED = "unauthorized"  #: the phone trusts no key
U2_DEAD = "u2_dead"  #: the uiautomator server dies and refuses to start
SLOW = "slow"  #: every RPC takes `seconds` longer
HANG = "hang"  #: no RPC is answered
APP_CRASH = "app_crash"  #: the app in front crashes, and each that is started
APP_MISSING = "app_missing"  #: no app is installed
APP_HANG = "app_hang"  #: each app that is started does not respond, and Android says so again and again
OPAQUE = "opaque"  #: the apps give no text, whatever is done
OPAQUE_APP = "opaque_app"  #: the same until the app is force-stopped
U2_STUCK = "u2_stuck"  #: a dump is one empty node, until the uiautomator server is started anew
U2_BROKEN = "u2_broken"  #: the same, and no new server helps
LOCKED = "locked"  #: the screen is locked by a PIN
NO_INTERNET = "no_internet"  #: the services cannot be reached
STORAGE_FULL = "storage_full"  #: nothing can be written; apps crash

FAULTS = (
    OFFLINE, UNAUTHORIZED, U2_DEAD, SLOW, HANG, APP_CRASH, APP_MISSING, APP_HANG, OPAQUE, OPAQUE_APP, U2_STUCK,
    U2_BROKEN, LOCKED, NO_INTERNET, STORAGE_FULL,
)  # fmt: skip
SLOW_SECONDS = 2.0
HANG_SECONDS = 0.2  #: until an app that hangs is complained about again
