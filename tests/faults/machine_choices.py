"""What hypothesis chooses from, and how a number becomes one of what there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Deed = Callable[[], object]

which = st.integers(0, 7)  #: one of what there is
one_of_all = st.integers(0, 59)  #: the same where there may be many
one_or_other = st.integers(0, 1)
#: What goes wrong in the midst of something, and at which call of Redis, the database or the outbox.
calls = st.integers(1, 40)
controller_trouble = st.tuples(st.sampled_from(["crash", "cut", "no_database"]), calls)
agent_trouble = st.tuples(st.sampled_from(["crash", "cut", "pause", "flush"]), st.integers(1, 16))
ORDERS = ["", "", "", "succeed", "succeed", "refuse", "ask", "hang", "break"]


def named(name: str, verb: Callable[..., None]) -> Callable[..., None]:
    """The same rule under another name."""

    def again(self: Any, chosen: int) -> None:
        verb(self, chosen)

    again.__name__ = name
    return again


def pick(rows: Sequence[T], chosen: int) -> T:
    return rows[chosen % len(rows)]
