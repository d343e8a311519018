"""Draw comparisons as SVG: a group of bars for each work, in the reader's light or dark colour scheme."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import escape

from benchmarks.measure import Comparison, Series, Unit
from benchmarks.table import format_figure

_WIDTH = 860
_BARS_LEFT, _BARS_WIDTH = 220, 500
_LINE, _BAR, _GAP = 22, 14, 18
_MARGIN = 16

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.work { font-weight: 600 }
.ours { fill: #0969da }
.theirs { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ours { fill: #58a6ff }
  .theirs { fill: #6e7681 }
}
"""


def build_picture(comparisons: Sequence[Comparison]) -> str:
    """Return the SVG; all bars of one work have the same scale."""
    parts: list[str] = []
    top = _MARGIN
    told: list[str] = []
    for (work, unit), group in groupby(comparisons, key=lambda comparison: (comparison.work, comparison.unit)):
        compared = list(group)
        series = [compared[0].ours, *(comparison.theirs for comparison in compared)]
        parts.extend(_draw_group(work, unit, series, top))
        top += _LINE * (1 + len(series)) + _GAP
        told.append(_describe(work, unit, series))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img"'
        f' aria-labelledby="title told">\n'
        f'<title id="title">The gateway beside its peers</title>\n<desc id="told">{escape(" ".join(told))}</desc>\n'
        f"<style>{_STYLE}</style>\n{''.join(parts)}</svg>\n"
    )


def _draw_group(work: str, unit: Unit, series: Sequence[Series], top: int) -> Iterator[str]:
    better = "more is better" if unit is Unit.RATE else "less is better"
    yield _draw_text(_MARGIN, top + _BAR, f"{work}: {unit.value}, {better}", "work")
    longest = max(each.median for each in series)
    for number, each in enumerate(series):
        y = top + _LINE * (number + 1)
        width = max(1.0, _BARS_WIDTH * each.median / longest)
        yield _draw_text(_MARGIN, y + _BAR - 2, each.name)
        yield (
            f'<rect class="{"theirs" if number else "ours"}" x="{_BARS_LEFT}" y="{y}" width="{width:.1f}"'
            f' height="{_BAR}" rx="2"/>\n'
        )
        yield _draw_text(_BARS_LEFT + width + 6, y + _BAR - 2, format_figure(each.median))


def _draw_text(x: float, y: float, text: str, style: str | None = None) -> str:
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x:.1f}" y="{y}">{escape(text)}</text>\n'


def _describe(work: str, unit: Unit, series: Sequence[Series]) -> str:
    figures = ", ".join(f"{each.name} {format_figure(each.median)}" for each in series)
    return f"{work}, {unit.value}: {figures}."
