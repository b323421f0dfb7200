"""How a login must end, by what the simulator knows: worked out from the scenario alone, never from the script."""

from __future__ import annotations

from dataclasses import replace

from tests.logins.scenario import Scenario

End = tuple[str, str]  #: outcome and reason

#: How it ends when the service answers so, for Instagram and TikTok.
ANSWERS: dict[str, tuple[End, End]] = {
    "captcha": (("needs_person", "captcha"), ("needs_person", "captcha")),
    "email_code": (("needs_person", "email_code"), ("needs_person", "email_code")),
    "sms_code": (("needs_person", "sms_code"), ("needs_person", "sms_code")),
    "suspicious": (("needs_person", "suspicious_login"), ("needs_person", "identity_check")),
    "identity": (("needs_person", "identity_check"), ("needs_person", "identity_check")),
    "locked": (("needs_person", "account_locked"), ("failed", "banned")),
    "suspended": (("failed", "banned"), ("failed", "banned")),
    "rate_limited": (("failed", "rate_limited"), ("failed", "rate_limited")),
    "age_gate": (("needs_person", "identity_check"), ("needs_person", "age_gate")),
    "survey": (("needs_person", "unknown_screen"), ("needs_person", "unknown_screen")),
    "kicked": (("needs_person", "logged_out_elsewhere"), ("needs_person", "logged_out_elsewhere")),
    "no_answer": (("needs_person", "no_progress"), ("needs_person", "unreadable_screen")),
}
FAULTS: dict[str, End] = {
    "app_missing": ("failed", "app_missing"),
    "app_crash": ("needs_person", "app_crashes"),
    "app_hang": ("needs_person", "app_hangs"),
    "opaque": ("needs_person", "unreadable_screen"),
    "u2_broken": ("needs_person", "unreadable_screen"),
    "locked": ("needs_person", "phone_locked"),
    "storage_full": ("needs_person", "storage_full"),
}
TLS_SECONDS = 86_400

#: What a fault on the way may end a run with, beside what the run ends with when it comes through.
STUMBLED: dict[str, set[End]] = {
    "offline": {("failed", "phone_offline"), ("failed", "ui_service_down"), ("failed", "phone_error")},
    "u2_dead": {("failed", "ui_service_down")},
    "hang": {("failed", "phone_hung"), ("failed", "deadline")},
    "locked": {("needs_person", "phone_locked")},
    # An app that dies or goes blank once something was sent is for a person: nothing is sent twice.
    "crash": {("needs_person", "no_progress")},
    "opaque_app": {("needs_person", "unreadable_screen")},
}
BROKEN = {("failed", "screen_changed")}  #: what else a fault may come to


def ends(one: Scenario) -> set[End]:
    """All ends that are true."""
    if one.fault == "app_hang":  # what needs no tap may be seen in the moment before Android complains again
        return {_end(one), _end(replace(one, fault=""))}
    if one.stumble is None:
        return {_end(one)}
    kind, _seconds = one.stumble
    return {_end(one)} | STUMBLED.get(kind, set()) | BROKEN


def _end(one: Scenario) -> End:
    if one.fault in FAULTS:
        return FAULTS[one.fault]
    if one.lock == "pin":
        return "needs_person", "phone_locked"
    if "logged_out" in one.popups:
        return _sign_in(one)
    if "update_required" in one.popups:
        return "needs_person", "update_required"
    if "survey" in one.popups:
        return "needs_person", "unknown_screen"
    return _session(one) or _sign_in(one)


def _session(one: Scenario) -> End | None:
    """Where the account is signed in already, or the app cannot be read at all."""
    if one.language == "ja" and not _readable_in_any_language(one):
        return "needs_person", "wrong_language"
    if one.wanted not in one.signed_in:
        return None
    return "succeeded", "already_signed_in" if one.signed_in[0] == one.wanted else "switched"


def _readable_in_any_language(one: Scenario) -> bool:
    """Instagram's signed-in part is known by its ids; signing in is not, which without a password nobody tries."""
    return (
        one.app == "instagram"
        and bool(one.signed_in)
        and (one.wanted in one.signed_in or one.types == "none")
    )


def _sign_in(one: Scenario) -> End:
    if one.types == "none":
        return "failed", "logged_out_elsewhere" if "logged_out" in one.popups else "no_password"
    if one.fault == "no_internet":
        return "failed", "no_internet"
    if abs(one.clock) > TLS_SECONDS:
        return "needs_person", "wrong_clock"
    return _answer(one)


def _answer(one: Scenario) -> End:
    """How the service answers to what is sent."""
    by_name = one.app == "instagram" and one.wanted in one.saved and not one.signed_in
    if one.name == "unknown" and not by_name:
        return "failed", "no_such_account"
    if one.types == "wrong":
        return "failed", "wrong_password"
    if one.name == "other" and not by_name:
        return "failed", "other_account"
    if one.behaviour == "approve_elsewhere":
        return _approve(one)
    if one.behaviour != "ok":
        return ANSWERS[one.behaviour][one.app == "tiktok"]
    if one.totp and one.app == "tiktok":
        return "needs_person", "email_code"
    if one.totp and not one.codes:
        return "needs_person", "two_factor"
    return "succeeded", "signed_in"


def _approve(one: Scenario) -> End:
    if one.app == "tiktok":
        return "needs_person", "identity_check"
    if not one.codes:
        return "needs_person", "approve_elsewhere"
    return ("succeeded", "signed_in") if one.totp else ("needs_person", "identity_check")
