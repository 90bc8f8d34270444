"""Plots as SVG, drawn by hand: bars for a row, lines for a curve."""

import math
import statistics
from xml.sax.saxutils import escape

WIDTH = 720
COLOURS = ["#1f6feb", "#8b949e", "#bc4c00", "#1a7f37", "#8250df"]
FONT = 'font-family="sans-serif" font-size="13"'


def _short(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _text(x, y, text, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {FONT} {extra}>{escape(text)}</text>'


def _save(path, height, parts):
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                   f'viewBox="0 0 {WIDTH} {height}">\n<rect width="100%" height="100%" fill="white"/>\n')
        file.write("\n".join(parts) + "\n</svg>\n")


def write_bars(path, title, bars, ours):
    """`bars`: (label, values); a bar is the median, the thin line least and most."""
    left, right, step = 190, 90, 34
    most = max(max(values) for _, values in bars) or 1

    def across(value):
        return left + max(0, value) / most * (WIDTH - left - right)
    parts = [_text(16, 26, title, extra='font-weight="bold"')]
    for number, (label, values) in enumerate(bars):
        top, median = 44 + number * step, statistics.median(values)
        colour = COLOURS[0] if label in ours else COLOURS[1]
        parts.append(_text(left - 8, top + 16, label, "end"))
        parts.append(f'<rect x="{left}" y="{top}" width="{across(median) - left:.1f}" height="22" fill="{colour}"/>')
        parts.append(f'<line x1="{across(min(values)):.1f}" x2="{across(max(values)):.1f}" y1="{top + 11}" '
                     f'y2="{top + 11}" stroke="black"/>')
        parts.append(_text(across(max(values)) + 6, top + 16, _short(median)))
    _save(path, 44 + len(bars) * step + 12, parts)


def write_lines(path, title, x_label, y_label, curves):
    """`curves`: label -> [(x, y)]; x on a logarithmic scale."""
    left, right, top, bottom, height = 80, 20, 70, 50, 400
    points = [point for curve in curves.values() for point in curve]
    xs = sorted({x for x, _ in points})
    most = max(y for _, y in points) or 1
    low, high = math.log(xs[0]), math.log(xs[-1])

    def across(x):
        return left + (math.log(x) - low) / ((high - low) or 1) * (WIDTH - left - right)

    def up(y):
        return height - bottom - max(0, y) / most * (height - top - bottom)
    parts = [_text(16, 26, title, extra='font-weight="bold"'), _text(WIDTH / 2, height - 10, x_label, "middle"),
             _text(16, 50, y_label)]
    for x in xs:
        parts.append(_text(across(x), height - bottom + 18, _short(x), "middle"))
    for number in range(5):
        y = most * number / 4
        parts.append(f'<line x1="{left}" x2="{WIDTH - right}" y1="{up(y):.1f}" y2="{up(y):.1f}" stroke="#d0d7de"/>')
        parts.append(_text(left - 6, up(y) + 4, _short(y), "end"))
    for number, (label, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in sorted(curve))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in curve]
        parts.append(_text(300 + number * 140, 50, label, extra=f'fill="{colour}"'))
    _save(path, height, parts)
