"""./run, under a plain POSIX shell, with a fake Python that writes down how it is called."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parents[2]
SHELL = shutil.which("dash") or "/bin/sh"
TOOLS = [
    "sh",
    "awk",
    "cat",
    "cmp",
    "cp",
    "dirname",
    "flock",
    "mkdir",
    "mktemp",
    "rm",
    "sleep",
    "tail",
    "touch",
]

#: What ./run asks of a Python: its version, whether it can make environments, `-m venv`, pip, and all the rest.
PYTHON = """#!/bin/sh
echo "${0##*/bin/}|$PWD|$*" >>"$CALLS"
mark=${0%/*}/installed
case "$1 $2" in
    "-c import sys; sys.exit(sys.version"*) exit "${TOO_OLD:-0}" ;;
    "-c import ensurepip"*) exit "${NO_VENV:-0}" ;;
    "-c import django") [ -e "$mark" ]; exit ;;
    "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit ;;
    "-m pip") sleep "${PIP_SECONDS:-0}"; echo "pip says no"; [ -n "${PIP_FAILS:-}" ] && exit 1; touch "$mark"; exit ;;
    "-m ruff") exit "${RUFF_CODE:-0}" ;;
    *manage.py*) echo "state=${PHONERACK_STATE:-}"; exit "${MANAGE_CODE:-0}" ;;
esac
"""


class Checkout:
    """A copy of ./run in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.here, self.bin = folder / "phone rack", folder / "bin"
        self.calls_file = folder / "calls"
        self.here.mkdir()
        self.bin.mkdir()
        shutil.copy(BASE / "run", self.here)
        for name in ("requirements.txt", "requirements-dev.txt"):
            (self.here / name).write_text(f"# {name}\n")
        for tool in TOOLS:
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        (self.bin / "python3").write_text(PYTHON)
        (self.bin / "python3").chmod(0o755)

    def start(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SHELL, self.here / "run", *args],
            cwd=cwd or self.here,
            env={"PATH": str(self.bin), "CALLS": str(self.calls_file), "HOME": "/nonexistent", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*args, cwd=cwd, **env)
        out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def calls(self, text: str) -> list[str]:
        return [line for line in self.calls_file.read_text().splitlines() if text in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_by_itself_it_lists_the_commands_and_installs_nothing(checkout):
    done = checkout.run()
    assert done.returncode == 0
    for command in ("demo", "test", "check", "setup", "web", "agent", "import", "export", "lock", "doctor"):
        assert f"\n  {command} " in done.stdout
    assert not (checkout.here / ".venv").exists()


def test_it_installs_once_and_again_when_the_requirements_change(checkout):
    assert "Installing the packages of requirements.txt" in checkout.run("migrate").stderr
    assert checkout.run("migrate").stderr == ""
    assert len(checkout.calls("pip install --require-hashes -r")) >= 1
    before = len(checkout.calls("-m pip"))
    (checkout.here / "requirements.txt").write_text("# another pin\n")
    checkout.run("migrate")
    assert len(checkout.calls("-m pip")) > before
    assert len(checkout.calls("-m venv")) == 1


def test_what_it_does_not_know_goes_to_manage_as_it_is_and_the_exit_code_comes_back(checkout, tmp_path):
    done = checkout.run("some_command", "two words", "--option", cwd=tmp_path, MANAGE_CODE="7")
    assert done.returncode == 7
    assert checkout.calls("manage.py") == [
        f"python|{tmp_path}|{checkout.here}/manage.py some_command two words --option"
    ]


def test_a_file_name_is_seen_from_where_the_caller_stands(checkout, tmp_path):
    checkout.run("import", "my list.xlsx", cwd=tmp_path)
    checkout.run("export", "out.xlsx", cwd=tmp_path)
    first, second = checkout.calls("manage.py")
    assert first == f"python|{tmp_path}|{checkout.here}/manage.py import_accounts my list.xlsx"
    assert second.endswith("export_accounts out.xlsx")


def test_a_process_that_stays_works_from_the_checkout(checkout, tmp_path):
    checkout.run("web", cwd=tmp_path)
    checkout.run("agent", "--name", "pc7", cwd=tmp_path)
    assert checkout.calls("manage.py web") == [
        f"python|{checkout.here}|{checkout.here}/manage.py web",
    ]
    assert checkout.calls("automation.agent") == [
        f"python|{checkout.here}|-m automation.agent --name pc7",
    ]


def test_the_demo_has_a_state_folder_of_its_own_unless_one_is_named(checkout):
    assert f"state={checkout.here}/.demo" in checkout.run("demo", "--once").stdout
    assert "state=/elsewhere" in checkout.run("demo", PHONERACK_STATE="/elsewhere").stdout


def test_the_development_packages_hold_the_others(checkout):
    assert "requirements-dev.txt" in checkout.run("test", "-k", "some name").stderr
    assert checkout.calls("-m tests") == [f"python|{checkout.here}|-m tests -k some name"]
    assert checkout.run("migrate").stderr == ""


def test_each_pin_stands_in_the_development_requirements_too():
    def pins(name: str) -> set[str]:
        lines = (BASE / name).read_text().splitlines()
        return {line.rstrip(" \\") for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_a_python_that_is_too_old_gets_one_line_that_says_what_to_install(checkout):
    done = checkout.run("demo", TOO_OLD="1")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "apt install" in done.stderr
    assert "manage.py" not in checkout.calls_file.read_text()


def test_a_python_without_venv_gets_the_name_of_the_package(checkout):
    done = checkout.run("demo", NO_VENV="1")
    assert done.returncode == 1
    assert "sudo apt install python3-venv" in done.stderr


def test_a_failed_installation_shows_its_log_and_is_tried_again(checkout):
    done = checkout.run("migrate", PIP_FAILS="1")
    assert done.returncode == 1
    assert "pip says no" in done.stderr
    assert "install.log" in done.stderr
    assert checkout.run("migrate").returncode == 0


def test_two_at_once_install_once_and_the_second_waits(checkout):
    pair = [checkout.start("migrate", PIP_SECONDS="0.7") for _ in range(2)]
    said = [process.communicate(timeout=30)[1] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert sorted("Installing the packages" in text for text in said) == [False, True]
    assert len(checkout.calls("-m venv")) == 1


def test_an_environment_in_another_place(checkout, tmp_path):
    checkout.run("migrate", PHONERACK_VENV=str(tmp_path / "else where"))
    assert (tmp_path / "else where" / "bin" / "python").exists()
    assert not (checkout.here / ".venv").exists()


def test_check_goes_on_after_a_failure_and_names_it(checkout):
    done = checkout.run("check", RUFF_CODE="1")
    assert done.returncode == 1
    assert "Failed: ruff format; ruff check;" in done.stderr
    for what in ("-m ruff check", "-m mypy", "importlinter", "manage.py check", "makemigrations --check"):
        assert checkout.calls(what), what
    assert checkout.run("check").returncode == 0


def test_it_is_plain_sh():
    assert (BASE / "run").read_text().startswith("#!/bin/sh\n")
    assert os.access(BASE / "run", os.X_OK)
    subprocess.run([SHELL, "-n", BASE / "run"], check=True)
