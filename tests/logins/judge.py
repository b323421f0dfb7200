"""What was promised about a login, checked against the simulator."""

from __future__ import annotations

from automation.scripts.outcomes import Result
from devices.simulator.farm import Farm
from tests.logins.scenario import Scenario
from tests.logins.truth import ends

TOUCHES = ("click", "type", "swipe")

#: Screens that are for a person, or that say no, or that nobody knows: nothing may be touched there.
UNTOUCHED = frozenset(
    {"os.lock", "ig.suspended", "ig.challenge_identity", "ig.challenge_confirm", "ig.challenge_locked",
     "ig.challenge_sms", "ig.challenge_email_code",
     "ig.challenge_suspicious", "ig.update_required", "ig.wrong_password",
     "ig.no_such_account", "ig.rate_limited", "ig.no_connection", "ig.survey", "tt.captcha", "tt.verify_code",
     "tt.verify_sms", "tt.2step", "tt.agegate", "tt.banned", "tt.update_required", "tt.wrong_password",
     "tt.too_many_attempts", "tt.no_connection", "tt.survey"}
)  # fmt: skip


def overtaken(one: Scenario) -> set[str]:
    """The screen that comes between a look and the tap that is under way already: nobody can see that."""
    return {"os.lock"} if one.stumble and one.stumble[0] == "locked" else set()


def broken(one: Scenario, farm: Farm, result: Result, said: str) -> list[str]:
    """Every promise that this login broke; `said` is all that the script told of itself."""
    found = []
    end = (result.outcome, result.reason)
    if end not in ends(one):
        found.append(f"ended {end}, the truth is {sorted(ends(one))}")
    app = farm.phone(one.serial).apps[one.package]
    if result.outcome == "succeeded" and (app.active != one.wanted or one.wanted not in app.accounts):
        found.append(f"WRONG SUCCEEDED: in use is {app.active!r}")
    touches = farm.journal(one.serial)
    hurt = sorted(
        {touch["screen"] for touch in touches if touch["kind"] in TOUCHES} & UNTOUCHED - overtaken(one)
    )
    found += [f"TOUCHED {screen}" for screen in hurt]
    if len(app.refused) > 1:
        found.append(f"a wrong password was sent {len(app.refused)} times")
    if any(touch["kind"] == "clear_app" for touch in touches):
        found.append("data was cleared")
    found += ["a secret was told" for secret in (one.password, "not this one") if secret in said]
    return found
