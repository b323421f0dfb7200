"""Why a run ended as it did: each code with the sentence for the operator and what to do next."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """A sentence for the operator, and the action that helps; empty when none is needed."""

    sentence: str
    action: str = ""


ALREADY_SIGNED_IN = "already_signed_in"
SIGNED_IN = "signed_in"
SWITCHED = "switched"
SYNCED = "synced"
MATCHED = "matched"
PARTLY_MATCHED = "partly_matched"
NO_STATISTICS = "no_statistics"
WRONG_PASSWORD = "wrong_password"  # noqa: S105
NO_SUCH_ACCOUNT = "no_such_account"
RATE_LIMITED = "rate_limited"
BANNED = "banned"
OTHER_ACCOUNT = "other_account"
NOT_SIGNED_IN = "not_signed_in"
NO_PASSWORD = "no_password"  # noqa: S105
CAPTCHA = "captcha"
EMAIL_CODE = "email_code"
SMS_CODE = "sms_code"
APPROVE_ELSEWHERE = "approve_elsewhere"
TWO_FACTOR = "two_factor"
CODE_REFUSED = "code_refused"
SUSPICIOUS_LOGIN = "suspicious_login"
IDENTITY_CHECK = "identity_check"
ACCOUNT_LOCKED = "account_locked"
AGE_GATE = "age_gate"
CHOICE_NEEDED = "choice_needed"
UPDATE_REQUIRED = "update_required"
PHONE_LOCKED = "phone_locked"
UNKNOWN_SCREEN = "unknown_screen"
UNREADABLE_SCREEN = "unreadable_screen"
APP_CRASHES = "app_crashes"
NO_PROGRESS = "no_progress"
NO_INTERNET = "no_internet"
APP_HANGS = "app_hangs"
LOGGED_OUT_ELSEWHERE = "logged_out_elsewhere"
WRONG_LANGUAGE = "wrong_language"
WRONG_CLOCK = "wrong_clock"
STORAGE_FULL = "storage_full"
UNKNOWN_SCRIPT = "unknown_script"
WRONG_OPTION = "wrong_option"
BAD_RESULT = "bad_result"

_LOOK = "Look at the picture of the screen, finish by hand on the phone, then run the script again."
_AGAIN = "It is tried again by itself."

REASONS: dict[str, Reason] = {
    ALREADY_SIGNED_IN: Reason("The account was signed in already."),
    SIGNED_IN: Reason("The account is signed in."),
    SWITCHED: Reason("The account was signed in already; the app was switched to it."),
    SYNCED: Reason("The profile figures were read."),
    MATCHED: Reason("The signed-in accounts were read."),
    PARTLY_MATCHED: Reason("Some apps could not be read.", "See the list of apps and run match again."),
    NO_STATISTICS: Reason("Instagram accounts carry no profile figures here."),
    WRONG_PASSWORD: Reason("The app refused the password.", "Correct the password, then run login again."),
    NO_SUCH_ACCOUNT: Reason("The app knows no such account.", "Correct the e-mail or the username."),
    RATE_LIMITED: Reason("The app wants fewer attempts.", "Wait some hours before the next login."),
    BANNED: Reason(
        "The app has banned or suspended the account.", "Disable the account, or appeal in the app."
    ),
    OTHER_ACCOUNT: Reason(
        "The login led to another account than the one that was asked for.",
        "Correct the e-mail or the username.",
    ),
    NOT_SIGNED_IN: Reason("The account is not signed in on this phone.", "Run login first."),
    NO_PASSWORD: Reason("The account has no password.", "Fill in its password, then run login again."),
    CAPTCHA: Reason("The app shows a puzzle for people.", "Solve it on the phone, then run login again."),
    EMAIL_CODE: Reason("The app wants a code that it has sent.", "Enter the code on the phone."),
    SMS_CODE: Reason(
        "The app wants a code that it has sent to a phone number.", "Enter the code on the phone."
    ),
    APPROVE_ELSEWHERE: Reason("The app waits for approval on another phone.", "Approve the login there."),
    TWO_FACTOR: Reason(
        "The app wants an authenticator code, and the account has no such secret.",
        "Add the secret to the password, as password:secret.",
    ),
    CODE_REFUSED: Reason(
        "The app refused the authenticator code twice.",
        "Check the account's secret and the clock of the host.",
    ),
    SUSPICIOUS_LOGIN: Reason("The app finds this login suspicious.", "Confirm on the phone that it was you."),
    IDENTITY_CHECK: Reason("The app wants proof of who you are.", _LOOK),
    ACCOUNT_LOCKED: Reason("The app has locked the account.", "Recover the account on the phone."),
    AGE_GATE: Reason("The app asks for a date of birth.", _LOOK),
    CHOICE_NEEDED: Reason("The app asks for a choice that only its owner may make.", _LOOK),
    UPDATE_REQUIRED: Reason("The app must be updated first.", "Update the app on the phone."),
    PHONE_LOCKED: Reason("The phone is locked.", "Unlock the phone and take its screen lock off."),
    UNKNOWN_SCREEN: Reason("The app shows a screen that is not known.", _LOOK),
    UNREADABLE_SCREEN: Reason("The screen cannot be read: it shows no text.", _LOOK),
    APP_CRASHES: Reason("The app crashes time and again.", "Update or reinstall the app on the phone."),
    NO_PROGRESS: Reason("The app stays where it is.", _LOOK),
    NO_INTERNET: Reason(
        "The phone has no connection to the internet.", "Look at its Wi-Fi, its SIM and its airplane mode."
    ),
    APP_HANGS: Reason(
        "The app does not respond, and Android says so time and again.",
        "Restart the phone; update the app if it goes on.",
    ),
    LOGGED_OUT_ELSEWHERE: Reason(
        "The app was logged out from elsewhere: somebody signed in or changed the password.",
        "Find out who else uses the account; correct the password if it was changed, then run login again.",
    ),
    WRONG_LANGUAGE: Reason(
        "The app is in a language whose words are not known.",
        "Set the app to English or French, or add its words to the screens.",
    ),
    WRONG_CLOCK: Reason(
        "The clocks of the phone and of the host differ.",
        "Set the phone to automatic date and time, and see that the host's clock is right.",
    ),
    STORAGE_FULL: Reason("The storage of the phone is full.", "Make room on the phone, then run it again."),
    UNKNOWN_SCRIPT: Reason(
        "The host does not know this script.",
        "Update Phonerack on the host; a script of your own must be there too: ./run doctor --agent.",
    ),
    WRONG_OPTION: Reason(
        "An option of the run is not what the script on the host wants.",
        "Put the same version of the script on every machine.",
    ),
    BAD_RESULT: Reason("The script ended with something that cannot be reported.", "Correct the script."),
    "screens_away": Reason("The operator's screen files did not reach the host in time.", _AGAIN),
    # Of the phone itself: the classes in devices/phones/errors.py.
    "phone_error": Reason("The phone could not do what it was asked.", "Look at the phone and its cable."),
    "phone_offline": Reason("The phone is not connected.", "Check its cable, its hub and that it is on."),
    "phone_unauthorized": Reason(
        "The phone does not trust this host.", 'Accept "Allow USB debugging" on its screen.'
    ),
    "phone_hung": Reason("The phone did not answer in time.", "Restart the phone if this happens again."),
    "adb_server_down": Reason(
        "The adb server of the host does not answer.", "Look at the agent of that host."
    ),
    "phone_taken": Reason(
        "Another program on the host has the phone.", "End it; only the agent may use adb there."
    ),
    "app_missing": Reason("The app is not installed on the phone.", "Install it."),
    "ui_service_down": Reason("The uiautomator service on the phone does not run.", "Restart the phone."),
    "screen_changed": Reason("The screen changed under the script's hands.", "Run it again."),
    "canceled": Reason("The run was canceled."),
    "deadline": Reason("The run took longer than it may.", "Run it again; look at the phone if it repeats."),
}

#: What is not found on a phone: the controller, or the agent itself, gives these.
CONTROLLER_REASONS: dict[str, Reason] = {
    "no_device": Reason("The account is on no device.", "Choose one on the account's page."),
    "password_refused": Reason(
        "The app refused its password, which has not changed since.", "Correct it first."
    ),
    "disabled": Reason(
        "The account was disabled before the run could start.", "Enable it, then run it again."
    ),
    "not_started_in_time": Reason(
        "The phone was not free and online in time.", "See why the phone was away, then run it again."
    ),
    "host_silent": Reason(
        "The host was not heard for 30 seconds while the run was on its phone.",
        f"See why the host or its network went away. {_AGAIN}",
    ),
    "agent_restarted": Reason(
        "The agent of the host died while the run was on its phone.", f"See in its log why. {_AGAIN}"
    ),
    "not_in_hand": Reason("The agent no longer knows the run.", f"See in its log why. {_AGAIN}"),
    "cut_off": Reason(
        "The agent could not reach the controller and let go of the phone.",
        f"See why the network of the host went away. {_AGAIN}",
    ),
    "agent_stopping": Reason("The agent of the host was stopped.", _AGAIN),
    "canceled": Reason("Somebody canceled the run."),
    "account_deleted": Reason("The account was deleted."),
    "campaign_deleted": Reason("Its campaign was deleted."),
    "device_deleted": Reason("Its device was deleted."),
    "host_deleted": Reason("The host was deleted while it had the run."),
    "not_offered": Reason(
        "The run could not be put before its host: the password may not open.",
        "See that its key is still in PHONERACK_FIELD_KEYS; the controller's log says more.",
    ),
    "bad_report": Reason(
        "The agent reported something that makes no sense.",
        "Put the same version of Phonerack on that host; the controller's log says more.",
    ),
    "bad_ticket": Reason(
        "The agent could not open its ticket.",
        "See its log: mostly the controller has another key than at first (controller.pub in the agent's folder).",
    ),
    "defect": Reason("Phonerack itself went wrong.", "Report it; the message holds the place in the code."),
}


def sentence(code: str) -> str:
    """The operator's sentence for a reason; the code itself when it is not known here."""
    return REASONS[code].sentence if code in REASONS else code
