"""Scripts of the user's own: modules named by the entry point group `phonerack.scripts` or by PHONERACK_SCRIPTS.

Read alike by web, controller and agent, and by an agent without Django, so straight from the environment. Whatever is
wrong with such a module is a sentence in `problems`; its scripts are left out, and everything else goes on.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from importlib.metadata import entry_points
from pathlib import Path

from automation.scripts.base import SCRIPTS
from automation.scripts.options import BadScript

SETTING = "PHONERACK_SCRIPTS"
GROUP = "phonerack.scripts"
CHECKOUT = Path(__file__).resolve().parents[2]  #: what a relative path is seen from, in every process

problems: list[str] = []  #: what is wrong with the modules of the user's, a sentence each


def load() -> None:
    """Import them all; registers their scripts and fills `problems`."""
    problems.clear()
    for module, named_by in _modules().items():
        before = dict(SCRIPTS)
        try:
            _import(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a module of somebody else's
            SCRIPTS.clear()
            SCRIPTS.update(before)
            problems.append(f"{module} ({named_by}) is left out: {_told(error).rstrip('.')}.")
        else:
            if before == SCRIPTS:
                problems.append(f"{module} ({named_by}) holds no @script.")


def _modules() -> dict[str, str]:
    """The name of each module, or the path of its file -> who names it."""
    found = {
        one.value.partition(":")[0].strip(): f"entry point {one.name}" for one in entry_points(group=GROUP)
    }
    wanted = (name.strip() for name in os.environ.get(SETTING, "").split(","))
    return found | dict.fromkeys(filter(None, wanted), SETTING)


def _import(name: str) -> None:
    """A module by its name, or by the path of its file."""
    if not name.endswith(".py"):
        importlib.import_module(name)
        return
    path = CHECKOUT / Path(name).expanduser()
    if not path.is_file():
        raise BadScript(f"there is no file {path}")
    if path.stem in sys.modules:
        raise BadScript(f"there is a module {path.stem} already: give the file another name")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise BadScript(f"{path} cannot be read as Python")
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise


def _told(error: BaseException) -> str:
    """What went wrong in one line, and where in the module."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno} is no Python ({error.msg})"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)
    ]
    text = " ".join(str(error).split()) or type(error).__name__
    what = text if isinstance(error, BadScript) else f"{type(error).__name__}: {text}"
    return f"{what} (line {lines[-1]})" if lines else what


def _is_theirs(filename: str) -> bool:
    return (
        not filename.startswith("<")
        and Path(filename).parent != Path(__file__).parent
        and ("importlib" not in filename)
    )
