"""A small Android shell: quotes, variables, `;`, `&&`, `||`, `|` and redirections around commands.py."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from devices.simulator.device import SimulatedPhone
from devices.simulator.journal import TOUCHER_VARIABLE, toucher
from devices.simulator.transport import Stream

OPERATORS = ("&&", "||", ";", "|", "\n")
TOKEN = re.compile(r"\s*(&&|\|\||;|\||\n|\d?>>?\s*(?:&\d|[^\s;|&]+))|[^\S\n]+")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.S)
NOT_FOUND = 127

Write = Callable[[bytes], Awaitable[None]]


@dataclass
class Session:
    """Where a command line runs: its stream, its way out, and what it knows."""

    stream: Stream
    write: Write
    variables: dict[str, str] = field(default_factory=dict)
    code: int = 0


@dataclass
class Result:
    """What a command has put out, and its exit code."""

    output: bytes = b""
    code: int = 0


@dataclass
class Call:
    """One command about to run."""

    phone: SimulatedPhone
    words: list[str]
    session: Session
    given: bytes = b""  #: what the command before the pipe has put out


class ShellSyntaxError(ValueError):
    """The command line has an open quote."""


def read_quoted(line: str, at: int) -> tuple[str, int]:
    """The text in the quotes that begin at `at`, and the place behind them; `$` in single quotes is guarded."""
    quote, out, at = line[at], "", at + 1
    while at < len(line) and line[at] != quote:
        if quote == '"' and line[at] == "\\" and line[at + 1 : at + 2] in ('"', "\\", "$", "`"):
            at += 1
            out += GUARDED.get(line[at], line[at])
        else:
            out += GUARDED.get(line[at], line[at]) if quote == "'" else line[at]
        at += 1
    if at >= len(line):
        raise ShellSyntaxError("no closing quote")
    return out, at + 1


#: `$` that must not be expanded travels as a private character
GUARDED = {"$": "\ue000"}


def split(line: str) -> list[str | tuple[str, str]]:
    """Words as text, operators as ("operator", text), redirections as ("redirect", text)."""
    out: list[str | tuple[str, str]] = []
    word: str | None = None
    at = 0
    while at < len(line):
        match = TOKEN.match(line, at)
        if match and not (word is not None and match.start(1) == at and line[at].isdigit()):
            if word is not None:
                out.append(word)
                word = None
            if match[1]:
                out.append(("operator" if match[1] in OPERATORS else "redirect", match[1]))
            at = match.end()
        elif line[at] in "'\"":
            text, at = read_quoted(line, at)
            word = (word or "") + text
        else:
            step = 2 if line[at] == "\\" and at + 1 < len(line) else 1
            text = line[at + step - 1]
            word = (word or "") + (GUARDED.get(text, text) if step == 2 else text)
            at += step
    return [*out, word] if word is not None else out


def expand(word: str, session: Session) -> str:
    """The word with its variables filled in."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return str(session.code) if name == "?" else session.variables.get(name, "")

    return re.sub(r"\$(?:(\?|\w+)|\{(\w+)\})", value, word).replace(GUARDED["$"], "$")


async def run(phone: SimulatedPhone, line: str, session: Session) -> int:
    """Run a command line, write what it puts out, and give back its exit code."""
    try:
        tokens = split(line)
    except ShellSyntaxError as error:
        await session.write(f"/system/bin/sh: {error}\n".encode())
        return 1
    joint, command, given = ";", [], b""
    for token in [*tokens, ("operator", ";")]:
        if isinstance(token, str) or token[0] == "redirect":
            command.append(token)
            continue
        if command and wanted(joint, session.code):
            result = await run_one(phone, command, session, given if joint == "|" else b"")
            session.code, given = result.code, result.output
            if token[1] != "|" and result.output:
                await session.write(result.output)
        joint, command = token[1], []
    return session.code


def wanted(joint: str, code: int) -> bool:
    """Whether what follows this operator is to run."""
    return not (joint == "&&" and code) and not (joint == "||" and not code)


async def run_one(
    phone: SimulatedPhone, tokens: list[str | tuple[str, str]], session: Session, given: bytes
) -> Result:
    """Run one simple command."""
    from devices.simulator.commands import COMMANDS

    words = [expand(token, session) for token in tokens if isinstance(token, str)]
    redirects = [token[1] for token in tokens if not isinstance(token, str)]
    while words and ASSIGNMENT.fullmatch(words[0]):
        name, _, value = words.pop(0).partition("=")
        session.variables[name] = value
    toucher.set(session.variables.get(TOUCHER_VARIABLE, ""))
    if not words:
        return Result()
    name = words[0].removeprefix("/system/bin/")
    command = COMMANDS.get(name)
    if command is None:
        return redirect(
            phone,
            Result(f"/system/bin/sh: {name}: inaccessible or not found\n".encode(), NOT_FOUND),
            redirects,
        )
    try:
        result = await command(Call(phone, [name, *words[1:]], session, given))
    except (IndexError, ValueError):
        result = Result(f"{name}: bad arguments\n".encode(), 1)
    return redirect(phone, result, redirects)


def redirect(phone: SimulatedPhone, result: Result, redirects: list[str]) -> Result:
    """The result after `> file`; output and errors are one here, so `2>` changes nothing."""
    from devices.simulator.files import File

    for one in redirects:
        if one.startswith("2") or "&" in one:
            continue
        path = one.lstrip("1>").strip()
        if path != "/dev/null":
            phone.files.put(path, File(result.output))
        result = Result(b"", result.code)
    return result
