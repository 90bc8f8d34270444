"""The Markdown and the plots of the scaling curves."""

import os
import statistics

from . import plot
from .report import number


def _section(curve, picture):
    lines = [f"## {curve.title}", ""]
    if curve.points:
        labels = list(curve.points)
        lines += [f"| {curve.x_label} | " + " | ".join(f"{label}, {curve.y_label}" for label in labels) + " |",
                  "| --- |" + " --- |" * len(labels)]
        for x in sorted({x for of_label in curve.points.values() for x in of_label}):
            cells = [_cell(curve.points[label].get(x)) for label in labels]
            lines.append(f"| {x:,} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += [f"- {label}: not measured: {why}" for label, why in curve.missing.items()]
    if curve.missing:
        lines.append("")
    if picture:
        lines += [f"![{curve.title}]({picture})", ""]
    return lines


def _cell(values):
    if not values:
        return "-"
    spread = f" ({number(min(values))}-{number(max(values))})" if len(values) > 1 else ""
    return number(statistics.median(values)) + spread


def write(folder, date, facts, curves):
    """DATE-scaling.md and one SVG a curve in `folder`; returns the path of the first."""
    os.makedirs(folder, exist_ok=True)
    lines = [f"# Scaling curves of {date}", ""] + [f"- {name}: {text}" for name, text in facts.items()]
    lines += ["", "Medians, in parentheses least and most.", ""]
    for curve in curves:
        medians = {label: [(x, statistics.median(values)) for x, values in of_label.items()]
                   for label, of_label in curve.points.items()}
        picture = f"{date}-scaling-{curve.name}.svg" if medians else None
        if picture:
            plot.write_lines(os.path.join(folder, picture), f"{curve.title}, {curve.y_label}", curve.x_label,
                             curve.y_label, medians)
        lines += _section(curve, picture)
    path = os.path.join(folder, date + "-scaling.md")
    with open(path, "w") as file:
        file.write("\n".join(lines).rstrip("\n") + "\n")
    return path
