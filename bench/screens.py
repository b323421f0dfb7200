"""Recognising a screen: CPU time of ours beside a walk over ElementTree and uiautomator2's own XPath, in one run.

./run bench screens [DUMP.xml ...] [--json]

All three ask for the same conditions of the same screen files, in the same order, until a screen fits. The other two
compare texts as they stand, in English only: no normalisation, no other languages, no values read, no verdict.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from uiautomator2.xpath import PageSource

from automation.screens.definitions import App, Screen
from automation.screens.dump import normalise, parse
from automation.screens.pattern import Pattern
from automation.screens.recognise import recognise
from automation.screens.schema import FOLDER, library
from automation.screens.values import parsed

ROUNDS = 30
GOAL_MS, GOAL_KB = 5.0, 90  #: of CPU, for a dump of that size
REAL = Path(os.environ.get("PHONERACK_DUMPS", Path(__file__).resolve().parents[2] / "shared/reference/dumps"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench screens", description=__doc__.partition("\n")[0])
    parser.add_argument("dumps", nargs="*", type=Path, metavar="DUMP.xml")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = [measured(name, xml) for name, xml in dumps(args.dumps).items()]
    if args.json:
        Console().print_json(json.dumps(rows))
    else:
        Console().print(table(rows))


def dumps(paths: list[Path]) -> dict[str, str]:
    """The dumps by name: those named, else drawn ones of the goal's size, and real ones where somebody has them."""
    if paths:
        return {path.name: path.read_text("utf-8") for path in paths}
    from tests.automation.dumps import IG, TT, drawn
    from tests.automation.screens.mutations import with_many_nodes

    found = {}
    for app, package, screen in (
        ("instagram", IG, "login_form"), ("instagram", IG, "own_profile"), ("tiktok", TT, "own_profile"),
    ):  # fmt: skip
        xml = drawn(app, screen)
        rows = max(0, GOAL_KB * 1000 - len(xml)) * 100 // len(with_many_nodes("</hierarchy>", package, 100))
        found[f"{app} {screen}, drawn"] = with_many_nodes(xml, package, rows)
        found[f"{app} {screen}, 2,000 nodes"] = with_many_nodes(xml, package, 2000)
    return found | {path.name: path.read_text("utf-8") for path in sorted(REAL.glob("*/*.xml"))}


def measured(name: str, xml: str) -> dict[str, Any]:
    """One row: milliseconds of CPU, the median and the best of ROUNDS, and how many times less ours takes."""
    verdict = recognise(xml)
    app = verdict.app if verdict.app and verdict.app.name != "android" else library().apps["instagram"]
    ours = cpu_ms(lambda: recognise(xml))
    walk = cpu_ms(lambda: by_walking(xml, app))
    xpath = cpu_ms(lambda: by_xpath(xml, app), rounds=5)
    return {
        "dump": name, "kb": round(len(xml.encode()) / 1000), "nodes": nodes_in(xml),
        "screen": verdict.screen or verdict.why or verdict.status, "ours_ms": ours[0], "ours_best_ms": ours[1],
        "first_ms": cpu_ms(lambda: (normalise.cache_clear(), recognise(xml)))[0], "elementtree_ms": walk[0],
        "uiautomator2_ms": xpath[0], "ratio_elementtree": round(walk[0] / ours[0], 1),
        "ratio_uiautomator2": round(xpath[0] / ours[0], 1),
    }  # fmt: skip


def nodes_in(xml: str) -> int:
    return len(parse(xml).nodes)


def cpu_ms(step: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and best, by the clock that runs only while this process does."""
    took = []
    for _ in range(rounds):
        begun = time.process_time()
        step()
        took.append(1000 * (time.process_time() - begun))
    return round(median(took), 2), round(min(took), 2)


def by_walking(xml: str, app: App) -> str:
    """The screen, by a walk over the whole tree for each condition."""
    root = ET.fromstring(xml)  # noqa: S314 - our own dumps
    return first_that_fits(app, lambda pattern: any(_is_like(one, pattern, app) for one in root.iter("node")))


def _is_like(element: ET.Element, pattern: Pattern, app: App) -> bool:
    get = element.get
    texts = (get("text", ""), get("content-desc", ""), get("hint", ""))
    return (
        (pattern.id is None or get("resource-id", "").endswith(f":id/{pattern.id}"))
        and (pattern.cls is None or get("class", "").endswith(pattern.cls))
        and all((get(name) == "true") == wish for name, wish in pattern.flags)
        and (not pattern.text or any(one in texts for one in _phrases(app, pattern.text)))
        and (
            not pattern.contains
            or any(one in text for one in _phrases(app, pattern.contains) for text in texts)
        )
        and (pattern.regex is None or any(pattern.regex.fullmatch(text) for text in texts))
    )


def by_xpath(xml: str, app: App) -> str:
    """The same by one XPath query for each condition, through uiautomator2's page source."""
    page = PageSource.parse(xml)
    return first_that_fits(app, lambda pattern: bool(page.find_elements(as_xpath(pattern, app))))


def as_xpath(pattern: Pattern, app: App) -> str:
    """The condition as people write it for uiautomator2."""
    parts = []
    if pattern.id is not None:
        parts.append(f"contains(@resource-id, ':id/{pattern.id.rstrip('*')}')")
    parts += [f"@{name}='{str(wish).lower()}'" for name, wish in pattern.flags]
    for key, form in ((pattern.text, "@{0}={1}"), (pattern.contains, "contains(@{0}, {1})")):
        if key is not None:
            ways = [
                form.format(name, _quoted(one))
                for one in _phrases(app, key)
                for name in ("text", "content-desc")
            ]
            parts.append(f"({' or '.join(ways)})" if ways else "false()")
    if pattern.regex is not None:
        parts.append(f"re:test(@text, {_quoted('^' + pattern.regex.pattern + '$')})")
    condition = f"[{' and '.join(parts)}]" if parts else ""
    return f"//{'android.widget.' + pattern.cls if pattern.cls else '*'}{condition}"


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _phrases(app: App, key: str) -> list[str]:
    return english(app.name).get(key, [])


@cache
def english(app: str) -> dict[str, list[str]]:
    """The English phrases as the screen file has them, of which an app shows one letter by letter."""
    data, _lines, _twice = parsed((FOLDER / f"{app}.yaml").read_text("utf-8"), app)
    return {**data["unconfirmed"].get("en", {}), **data["languages"]["en"]}


def first_that_fits(app: App, is_there: Callable[[Pattern], bool]) -> str:
    """The first screen of which every condition is there."""
    return next((screen.id for screen in app.screens if _fits(screen, is_there)), "")


def _fits(screen: Screen, is_on: Callable[[Pattern], bool]) -> bool:
    def is_there(pattern: Pattern) -> bool:
        return pattern.activity is None and is_on(pattern)  # a dump tells no activity

    if not all(is_there(one) for one in screen.all):
        return False
    if screen.any and not any(all(is_there(one) for one in way) for way in screen.any):
        return False
    return not any(is_there(one) for one in screen.none)


def table(rows: list[dict[str, Any]]) -> Table:
    made = Table(
        "dump", title=f"CPU milliseconds, median of {ROUNDS}; first: with no text seen before", expand=False
    )
    for title in ("kB", "nodes", "screen", "ours", "first", "ElementTree", "uiautomator2", "ratios"):
        made.add_column(title, justify="right")
    for row in rows:
        made.add_row(
            row["dump"], str(row["kb"]), str(row["nodes"]), row["screen"], f"{row['ours_ms']:.2f}",
            f"{row['first_ms']:.2f}", f"{row['elementtree_ms']:.1f}", f"{row['uiautomator2_ms']:.1f}",
            f"{row['ratio_elementtree']} x, {row['ratio_uiautomator2']} x",
        )  # fmt: skip
    return made


if __name__ == "__main__":
    main()
