"""The script of the fault test, known to the agents and to the worker that makes its runs."""

from __future__ import annotations

from automation.scripts.base import Context, Result, script


@script("touch", "Touch")
def touch(context: Context) -> Result:
    """Touch the phone a few times, as often and as slowly as the run's options say."""
    options, ticket = context.ticket.options, context.ticket
    times, pause = int(options.get("touches", 3)), float(options.get("pause", 0.2))
    for number in range(1, times + 1):
        with context.step(f"touch {number}"):
            context.phone.press("home")
        context.deadline.sleep(pause)
    return Result("succeeded", "touched", "", {"touches": times, "fence": ticket.fence})
