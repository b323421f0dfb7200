"""What can go wrong with a phone, classed by who must act. The docstring is the sentence that is shown.

PhoneError
├── PhoneOffline       retry later
├── PhoneUnauthorized  a person must allow USB debugging
├── PhoneHung          retry later
├── AdbServerDown      the host: its adb server does not answer
├── AppMissing         a person must install the app
├── StorageFull        a person must make room
├── UiServiceDown      retry later
├── NodeGone           our script looks again
├── Canceled           an operator or a stopping agent
└── DeadlineExceeded   our limit
"""

from __future__ import annotations


class PhoneError(Exception):
    """The phone could not do what it was asked."""

    reason = "phone_error"  #: the machine-readable reason code that ends up on the run
    transient = False  #: whether a later attempt may succeed by itself

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").split("\n")[0])


class PhoneOffline(PhoneError):
    """The phone is not connected: check its cable, its hub and that it is switched on."""

    reason = "phone_offline"
    transient = True


class PhoneUnauthorized(PhoneError):
    """The phone does not trust this host: accept "Allow USB debugging" on its screen."""

    reason = "phone_unauthorized"


class PhoneHung(PhoneError):
    """The phone did not answer in time."""

    reason = "phone_hung"
    transient = True


class AdbServerDown(PhoneError):
    """The adb server of the host does not answer."""

    reason = "adb_server_down"
    transient = True


class AppMissing(PhoneError):
    """The app is not installed on the phone."""

    reason = "app_missing"


class StorageFull(PhoneError):
    """The storage of the phone is full: make room on it."""

    reason = "storage_full"


class UiServiceDown(PhoneError):
    """The uiautomator service on the phone does not run and could not be restarted."""

    reason = "ui_service_down"
    transient = True


class NodeGone(PhoneError):
    """What was to be tapped or filled is no longer on the screen."""

    reason = "screen_changed"
    transient = True


class PhoneTaken(PhoneError):
    """Another process on the host has the phone."""

    reason = "phone_taken"
    transient = True


class Canceled(PhoneError):
    """The run was canceled."""

    reason = "canceled"


class DeadlineExceeded(PhoneError):
    """The run took longer than it may and was ended."""

    reason = "deadline"
    transient = True
