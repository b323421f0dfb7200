"""What can be made to go wrong with a simulated phone while it runs."""

from __future__ import annotations

OFFLINE = "offline"  #: the cable is out: connections are cut and refused
UNAUTHORIZED = "unauthorized"  #: the phone trusts no key
U2_DEAD = "u2_dead"  #: the uiautomator server dies and refuses to start
SLOW = "slow"  #: every RPC takes `seconds` longer
HANG = "hang"  #: no RPC is answered
APP_CRASH = "app_crash"  #: the app in front crashes, and each that is started
APP_MISSING = "app_missing"  #: no app is installed

FAULTS = (OFFLINE, UNAUTHORIZED, U2_DEAD, SLOW, HANG, APP_CRASH, APP_MISSING)
SLOW_SECONDS = 2.0
