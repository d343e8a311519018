"""Draw latency against data size: one panel per query, all on one scale. It measures nothing."""

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks.growth import Size
from benchmarks.table import format_figure

_COLUMNS, _PANEL_WIDTH, _PANEL_HEIGHT = 3, 290, 150
_LEFT, _TOP, _WIDTH, _HEIGHT = 20, 34, 220, 80

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.name { font-weight: 600 }
.curve { fill: none; stroke: #0969da; stroke-width: 2 }
.point { fill: #0969da }
.axis { stroke: #8c959f; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .curve { stroke: #58a6ff }
  .point { fill: #58a6ff }
}
"""


def build_curves(sizes: Sequence[Size]) -> str:
    """Return the SVG; both axes are logarithmic, so that a cost proportional to the data always has the same slope."""
    questions = list(zip(*(size.answers for size in sizes), strict=True))
    medians = [[answer.series.median for answer in answers] for answers in questions]
    low, high = min(map(min, medians)), max(map(max, medians))
    across = [_place(size.documents, sizes[0].documents, sizes[-1].documents) for size in sizes]
    parts: list[str] = []
    for number, (answers, values) in enumerate(zip(questions, medians, strict=True)):
        row, column = divmod(number, _COLUMNS)
        up = [_place(value, low, high) for value in values]
        panel = "".join(_draw_panel(answers[0].question.name, values, across, up))
        parts.append(f'<g transform="translate({column * _PANEL_WIDTH} {row * _PANEL_HEIGHT})">\n{panel}</g>\n')
    height = _PANEL_HEIGHT * -(-len(questions) // _COLUMNS)
    title = f"Median latency in ms, from {sizes[0].documents:,} to {sizes[-1].documents:,} documents"
    drawn = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_COLUMNS * _PANEL_WIDTH} {height}" role="img"'
        f' aria-labelledby="title">\n<title id="title">{title}</title>\n<style>{_STYLE}</style>\n{drawn}</svg>\n'
    )


def _place(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others on a logarithmic scale, from 0 to 1."""
    return math.log(value / low) / math.log(high / low) if high > low else 0.0


def _draw_panel(name: str, values: Sequence[float], across: Sequence[float], up: Sequence[float]) -> Iterator[str]:
    points = [(_LEFT + _WIDTH * x, _TOP + _HEIGHT * (1 - y)) for x, y in zip(across, up, strict=True)]
    bottom = _TOP + _HEIGHT + 6
    yield f'<text class="name" x="{_LEFT}" y="14">{escape(name)}</text>\n'
    yield f'<line class="axis" x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + _WIDTH}" y2="{bottom}"/>\n'
    yield f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>\n'
    for (x, y), value in zip(points, values, strict=True):
        yield f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="3"/>\n'
        yield f'<text text-anchor="middle" x="{x:.1f}" y="{y - 7:.1f}">{format_figure(value)}</text>\n'
