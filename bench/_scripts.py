"""The script of the measurements; imported where runs are made and where they are done."""

from __future__ import annotations

from typing import Any

from automation.scripts.base import Context, Result, script


@script("wait", "Wait")
def wait(context: Context) -> Result:
    """Has the phone in hand for `seconds`, on the run's own deadline; types nothing, reports nothing else."""
    phone: Any = context.phone
    with phone.visit(phone.serial, context.ticket.run):
        context.deadline.sleep(float(context.ticket.options["seconds"]))
    return Result("succeeded", "waited")
