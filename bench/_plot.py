"""The picture in docs/benchmarks.md: bars, readable on a light and on a dark page."""

from __future__ import annotations

from html import escape

Bar = tuple[str, float, bool]  #: label, value, whether it is ours

WIDTH, LABELS, ROW, TOP = 940, 445, 26, 58
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 15px }
.page { fill: #ffffff; stroke: #d0d7de } .ours { fill: #0f766e } .other { fill: #8c959f } .goal { stroke: #b35900 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #161b22; stroke: #30363d } .ours { fill: #2dd4bf } .other { fill: #6e7681 }
.goal { stroke: #f0883e } }
"""


def bars(charts: list[tuple[str, str, list[Bar], float | None]]) -> str:
    """An SVG of charts below each other: (title, unit, bars, goal)."""
    height = sum(TOP + ROW * len(rows) for _title, _unit, rows, _goal in charts) + 20
    parts, top = [], 0
    for title, unit, rows, goal in charts:
        parts += _chart(top, title, unit, rows, goal)
        top += TOP + ROW * len(rows)
    titles = "; ".join(title for title, *_rest in charts)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(titles)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        *parts, "</svg>", "",
    ])  # fmt: skip


def _chart(top: int, title: str, unit: str, rows: list[Bar], goal: float | None) -> list[str]:
    scale = (WIDTH - LABELS - 90) / max(value for _label, value, _ours in rows)
    parts = [f'<text class="title" x="20" y="{top + 34}">{escape(title)}</text>']
    for number, (label, value, is_ours) in enumerate(rows):
        y = top + TOP - 8 + number * ROW
        length = max(2.0, value * scale)
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 14}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="{"ours" if is_ours else "other"}" x="{LABELS}" y="{y}" width="{length:.1f}" height="18" '
            f'rx="2"/>',
            f'<text x="{LABELS + length + 6:.1f}" y="{y + 14}">{value:.2f}{escape(unit)}</text>',
        ]
    if goal is not None:
        x, foot = LABELS + goal * scale, top + TOP - 8 + ROW * len(rows)
        parts.append(f'<path class="goal" d="M{x:.1f} {top + TOP - 12}V{foot}" stroke-dasharray="4 3"/>')
    return parts
