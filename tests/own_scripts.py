"""Scripts of the user's own in tests: written to files, loaded as PHONERACK_SCRIPTS names them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automation.scripts import plugins
from automation.scripts.base import SCRIPTS

Load = Callable[..., list[str]]

HEAD = "from automation.scripts import *\n"
GREET = (
    HEAD
    + """
@script("greet", label="Greet", options=[
    Bool("loud", "Loud", help="So that all hear it."),
    Int("times", "Times", default=2, least=1, most=5),
    Text("word", "Word", default="hello", longest=10),
    Choice("tone", "Tone", default="kind", choices=[("kind", "Kind"), ("stern", "Stern")]),
])
def greet(context):
    return Result("succeeded", "greeted", context.username, dict(context.options))
"""
)
BATTERY = (
    HEAD
    + """
@script("battery", label="Battery", needs_account=False)
def battery(context):
    return Result("succeeded", "read")
"""
)


@pytest.fixture
def load_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Load]:
    """A function that loads these texts as modules of the user's and returns what is wrong with them."""
    before = dict(SCRIPTS)
    made: list[str] = []

    def forget() -> None:
        SCRIPTS.clear()
        SCRIPTS.update(before)
        plugins.problems.clear()
        for path in made:
            sys.modules.pop(Path(path).stem, None)

    def load(*texts: str, names: tuple[str, ...] = ()) -> list[str]:
        forget()
        for text in texts:
            path = tmp_path / f"own_script_{len(made)}.py"
            path.write_text(text, encoding="utf-8")
            made.append(str(path))
        monkeypatch.setenv(plugins.SETTING, ", ".join([*made, *names]))
        plugins.load()
        return list(plugins.problems)

    yield load
    forget()
