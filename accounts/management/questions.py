"""A question on the terminal."""

from __future__ import annotations


def agreed(question: str) -> bool:
    """Whether the answer is yes, in English or in Dutch; none at all is a no."""
    try:
        answer = input(question)
    except (EOFError, KeyboardInterrupt):
        return False
    return answer.strip().casefold() in ("y", "yes", "j", "ja")
