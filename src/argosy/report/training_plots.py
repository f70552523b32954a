"""Draws a training record as small SVG files, for the registry's page of a run. The run's report draws its own."""

from collections.abc import Sequence
from pathlib import Path

from argosy.domain.training_record import LearningCurve, TrainingRecord
from argosy.report import drawing
from argosy.report.drawing import BLUE, INK, ORANGE, WIDTH

NAMES = 220
SHOWN = 25


def write(record: TrainingRecord, folder: Path) -> None:
    """Write the pictures that *record* has data for into *folder*."""
    pictures = {
        "importance.svg": importance(record.importance),
        "learning-curve.svg": learning_curve(record.learning_curve),
    }
    if record.confusion:
        pictures["confusion-matrix.svg"] = confusion(record.confusion, record.classes)
    for name, picture in pictures.items():
        (folder / name).write_text(picture, encoding="utf-8")


def importance(gains: dict[str, float]) -> str:
    """Bars of the largest mean gains."""
    shown = list(gains.items())[:SHOWN]
    most = max([gain for _, gain in shown], default=0.0) or 1.0
    parts = [drawing.text(10, 20, "Feature importance (mean gain of its splits)", weight="bold")]
    for index, (name, gain) in enumerate(shown):
        top = 36 + 22 * index
        width = (WIDTH - NAMES - 90) * gain / most
        parts.append(drawing.text(NAMES - 8, top + 13, name, anchor="end"))
        parts.append(f'<rect x="{NAMES}" y="{top}" width="{width:.1f}" height="16" fill="{BLUE}"/>')
        parts.append(drawing.text(NAMES + width + 6, top + 13, f"{gain:.3g}"))
    return drawing.picture(50 + 22 * len(shown), parts)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """A square a pair of true and decided class; darker is a larger share of the true class."""
    side = 90
    parts = [drawing.text(10, 20, "Confusion matrix, out of fold (line: true class, column: decided)", weight="bold")]
    for row, (name, line) in enumerate(zip(classes, counts, strict=True)):
        top, total = 60 + side * row, sum(line) or 1
        parts.append(drawing.text(130, top + side / 2 + 4, name, anchor="end"))
        parts.append(drawing.text(140 + side * row + side / 2, 50, name, anchor="middle"))
        for column, count in enumerate(line):
            share, left = count / total, 140 + side * column
            parts.append(
                f'<rect x="{left}" y="{top}" width="{side - 2}" height="{side - 2}" stroke="{INK}" '
                f'fill="{BLUE}" fill-opacity="{share:.3f}"/>'
            )
            colour = "#ffffff" if share > 0.5 else INK
            parts.append(
                drawing.text(left + side / 2, top + side / 2 + 4, f"{count:,}", anchor="middle", colour=colour)
            )
    return drawing.picture(80 + side * len(classes), parts, width=max(WIDTH, 160 + side * len(classes)))


def learning_curve(curve: LearningCurve) -> str:
    """Loss by boosting round, of the rows fitted on and of the rows left out."""
    left, top, width, height = 60, 36, WIDTH - 90, 260
    values = [*curve.train, *curve.validation]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    parts = [drawing.text(10, 20, f"Learning curve ({curve.loss}, mean over the folds)", weight="bold")]
    for position, (name, colour, losses) in enumerate(
        (("fitted on", ORANGE, curve.train), ("left out", BLUE, curve.validation))
    ):
        step = width / max(1, len(losses) - 1)
        points = " ".join(
            f"{left + step * index:.1f},{top + height * (high - loss) / spread:.1f}"
            for index, loss in enumerate(losses)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(drawing.text(left + width - 90, top + 14 + 18 * position, name, colour=colour))
    parts.append(f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="{INK}"/>')
    parts.extend(
        drawing.text(left - 6, y, f"{loss:.3g}", anchor="end") for y, loss in ((top + 8, high), (top + height, low))
    )
    parts.append(drawing.text(left + width, top + height + 18, f"round {curve.rounds[-1]}", anchor="end"))
    return drawing.picture(top + height + 30, parts)
