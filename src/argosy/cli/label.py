"""Take what people said of answers into a language model's evaluation set: review.jsonl of a request, with `acceptable` filled in.

A request of a language model carries `review.jsonl`: the answers that changed, that the judge does not take, or hardly takes, each with the
champion's beside it. Whoever reviews sets `acceptable` of a line to true or false, in an editor; lines left at null are not asked about.
This verb adds those that were decided to `labelled.jsonl` of the model's folder, by which the judge is measured in the next run.
"""

import argparse
import sys
from pathlib import Path

from argosy import errors
from argosy.cli import models
from argosy.domain.answers import evaluation_items, review_items
from argosy.templates import folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a language model of this project")
    parser.add_argument("review", type=Path, metavar="FILE", help="review.jsonl with `acceptable` filled in")
    parser.add_argument("--by", required=True, metavar="WHO", help="who decided: a person or a role")


def run(arguments: argparse.Namespace) -> int:
    """Add the labels and say how many."""
    if not arguments.by.strip():
        raise errors.UsageError("--by names nobody: say who decided, a person or a role")
    place = models.folder_of(arguments.model)
    files = folder.artifacts_of(place)
    if "labelled" not in files:
        raise errors.UsageError(f"{place} is no language model: it has no {folder.ANSWER_ARTIFACTS['labelled']}")
    target = place / files["labelled"]
    asked = evaluation_items.questions(_text(place / files["questions"]), str(place / files["questions"]))
    known = evaluation_items.labelled(_text(target), str(target), asked)
    decided = review_items.decided(_text(arguments.review), str(arguments.review), arguments.by)
    merged = review_items.together(known, decided)
    # Read back before it counts: a label that contradicts another, or of a question that is gone, is refused with its line.
    text = evaluation_items.lines(merged)
    evaluation_items.labelled(text, f"{target} with {arguments.review}", asked)
    if len(merged) > len(known):
        partial = target.with_name(f".{target.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    else:
        print("note: nothing that was not known already", file=sys.stderr)
    print(f"{target}: {len(merged) - len(known)} labels more, {len(merged)} in all")
    return errors.DONE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"{path} cannot be read: {error}") from error
