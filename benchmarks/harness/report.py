"""The Markdown that a comparison leaves behind, and the plots beside it."""

import os

from . import plot
from .results import METRICS


def number(value):
    """Three figures; big ones whole."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


def _cell(result, label, key):
    values = result.values.get(label, {}).get(key)
    if not values:
        return "-"
    spread = f" ({number(min(values))}-{number(max(values))})" if len(values) > 1 else ""
    return number(result.median(label, key)) + spread


def _table(result):
    ours = [label for label in result.values if label in result.ours]
    labels = ours + [label for label in result.values if label not in result.ours]
    lines = ["| | " + " | ".join(labels) + " | ratio |", "| --- |" + " --- |" * (len(labels) + 1)]
    for key in result.metrics():
        metric = METRICS[key]
        ratio = result.ratio(key)
        cells = [_cell(result, label, key) for label in labels]
        better = "more is better" if metric.more_is_better else "less is better"
        lines.append(f"| {metric.label}, {metric.unit} ({better}) | " + " | ".join(cells) +
                     f" | {'-' if ratio is None else format(ratio, '.2f')} |")
    return lines


def _section(result, picture):
    lines = [f"## {result.title}", "", f"`{result.name}`", ""]
    if result.values:
        lines += [*_table(result), ""]
    for label, why in result.missing.items():
        lines.append(f"- {label}: not measured: {why}")
    if result.missing:
        lines.append("")
    if picture:
        lines += [f"![{result.title}]({picture})", ""]
    return lines


def write(folder, date, facts, results, first_metrics):
    """DATE.md with one SVG a row in `folder`; returns the path of the first."""
    os.makedirs(folder, exist_ok=True)
    lines = [f"# Comparison of {date}", ""]
    lines += [f"- {name}: {text}" for name, text in facts.items()]
    lines += ["", "Medians, in parentheses least and most. Ratio: Paddock's median over that of the best of the others.",
              ""]
    for result in results:
        key = first_metrics[result.name]
        picture = None
        bars = [(label, of_peer[key]) for label, of_peer in result.values.items() if key in of_peer]
        if bars:
            picture = f"{date}-{result.name}.svg"
            title = f"{result.title}: {METRICS[key].label}, {METRICS[key].unit}"
            plot.write_bars(os.path.join(folder, picture), title, bars, result.ours)
        lines += _section(result, picture)
    path = os.path.join(folder, date + ".md")
    with open(path, "w") as file:
        file.write("\n".join(lines).rstrip("\n") + "\n")
    return path
