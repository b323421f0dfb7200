"""What a rule is: a name, and a look at the history that counts its cases and yields what was violated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.faults.history import Fault, History
from tests.faults.paths import limit


@dataclass
class Finding:
    """What one rule found. `checked` counts the cases, `relaxed` those that needed more time because of a fault."""

    rule: str
    name: str
    checked: int = 0
    relaxed: int = 0
    violations: list[str] = field(default_factory=list)

    def is_late(self, at: float, faults: list[Fault], host: str, start: float, seconds: float) -> bool:
        """Count a case that was to be over `seconds` after `start`; whether nothing excuses its lateness."""
        self.checked += 1
        if at <= start + seconds:
            return False
        self.relaxed += 1
        return at > limit(faults, host, start, seconds)


Rule = Callable[[History, Finding], Iterator[str]]
RULES: list[tuple[str, str, Rule]] = []


def rule(number: str, name: str) -> Callable[[Rule], Rule]:
    def register(check: Rule) -> Rule:
        RULES.append((number, name, check))
        return check

    return register


def check(history: History) -> list[Finding]:
    """One finding for each rule."""
    findings = []
    for number, name, look in sorted(RULES, key=lambda one: one[0] == "C"):
        finding = Finding(number, name)
        finding.violations = list(look(history, finding))
        findings.append(finding)
    return findings
