"""The cause of a retraining: what made it start, as data that travels from the alert to the request.

Names, figures and moments only: a row's values, or who it is about, have no place in it. Alertmanager, Argo and the environment of a
process carry it, so it is short, on one line, and its text form holds nothing that any of them would evaluate. Whoever shows it escapes
it; who may start a retraining is admission's decision.
"""

import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from argosy import errors
from argosy.domain.documents import Document

PARAMETER = "cause"
LONGEST = 32 * 1024
"""Characters of the text form: less than half of what a parameter may be."""
MOST_COLUMNS = 20

Kind = Literal["drift", "performance", "new data", "push", "schedule", "hand"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Sentence = Annotated[str, Field(max_length=600)]
Figure = Annotated[float, Field(allow_inf_nan=False)]

EVALUATED = re.compile(r"[;|&`$<>\x7f]|(?<=\{)\{")
"""What a shell, or the second brace with which an expression begins, could be made of; in JSON they stand inside strings only."""


class Alert(Document):
    """The alert that asked, as Alertmanager names it."""

    name: Name
    fingerprint: Name
    starts_at: AwareDatetime


class MovedColumn(Document):
    """One column, or the prediction, that is no longer where it was."""

    column: Name
    measure: Name
    """The figure that is compared, such as ``Jensen-Shannon distance``."""
    before: Figure | None = None
    now: Figure | None = None
    explanation: Sentence = ""


class PerformanceChange(Document):
    """Real performance, by labels that arrived: what it was when the model was approved, and what it is."""

    metric: Name
    before: Figure | None = None
    now: Figure | None = None


class Cause(Document):
    """Why a retraining started."""

    kind: Kind
    alert: Alert | None = None
    environment: Name | None = None
    """Where it was seen."""
    model_digest: Name | None = None
    """Of the model that answered there."""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    began: AwareDatetime | None = None
    """From when on predictions may have been otherwise, as near as the looks say."""
    columns: Annotated[list[MovedColumn], Field(max_length=MOST_COLUMNS)] = []
    """The columns that moved, the most telling first."""
    performance: PerformanceChange | None = None
    explanation: Sentence = ""
    admission: Name | None = None
    """The decision that let it start."""

    @property
    def must_be_better(self) -> bool:
        """True where a model made for this cause is promoted only if it beats the champion on recent rows.

        Where the world moved, a model that merely holds its own on the old holdout has mended nothing, and may have learned from the
        very data that is broken.
        """
        return self.kind in ("drift", "performance")

    def without(self, columns: frozenset[str]) -> "Cause":
        """This cause without the named *columns*, such as those that the contract calls personal."""
        kept = [moved for moved in self.columns if moved.column not in columns]
        return self.model_copy(update={"columns": kept})

    def text(self) -> str:
        """The parameter's value: canonical JSON on one line, in which nothing is left that Argo or a shell would evaluate.

        Escapes make it longer; columns that no longer fit are left out, the least telling first.
        """
        value = unevaluated(self.canonical_json().rstrip("\n"))
        return value if len(value) <= LONGEST or not self.columns else self._with_fewer_columns().text()

    def _with_fewer_columns(self) -> "Cause":
        return self.model_copy(update={"columns": self.columns[:-1]})


def parse(text: str) -> Cause | None:
    """The cause that the parameter's value *text* is; None where it is empty. Raises Misconfigured where it is none."""
    if not text.strip():
        return None
    if len(text) > LONGEST:
        raise errors.Misconfigured(
            f"parameter {PARAMETER}: {len(text):,} characters, {LONGEST:,} are allowed; name fewer columns, in shorter sentences"
        )
    try:
        return Cause.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = _printable(".".join(str(part) for part in first["loc"]))[:100] or "the whole"
        raise errors.Misconfigured(
            f"parameter {PARAMETER}: {field}: {first['msg']}; give what `argosy retrain` made, or nothing"
        ) from None


def unevaluated(line: str) -> str:
    """*line*, JSON, with escapes in place of all that Argo or a shell would evaluate."""
    return EVALUATED.sub(_escaped, "".join(char if char.isprintable() else _json(char) for char in line))


def shortened(text: str, longest: int = 600) -> str:
    """*text* on one line, cut to what a sentence of a cause may be."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def _escaped(found: re.Match[str]) -> str:
    return _json(found[0])


def _json(text: str) -> str:
    """*text* as JSON's escapes, by the units of UTF-16."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
