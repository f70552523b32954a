"""The script of a demonstration of one model: ``demo.yaml``, or ``season.yaml`` for one with seasons, in the model's folder.

The demonstration itself knows no model. Which rows are unusual, what mishap a gate should stop, and which weeks to replay, is the model's
own story.
"""

import datetime
from pathlib import Path

from pydantic import Field

from argosy.domain.documents import Document
from argosy.files import model_folder

FILE = "demo.yaml"
SEASON = "season.yaml"


class Slice(Document):
    """Real rows to send to the served model."""

    says: str = Field(description="What these rows are, to complete `sending 500 rows: …`.")
    where: str = Field(
        description="A DuckDB SQL condition over the run's feature rows (`side` is `train` or `holdout`)."
    )
    most: int = Field(default=2000, ge=1, description="Rows sent at most, in the order of their ids.")


class Mishap(Document):
    """Something that goes wrong with the data, and that the gates must stop."""

    says: str = Field(description="What happened, in a sentence.")
    file: str = Field(description="The file that is damaged, inside the run's data folder.")
    sql: str = Field(description="A DuckDB SQL query over the table `undamaged` that gives the damaged one.")
    stopped_by: str = Field(description="A gate, such as `performance.auc`, that must be among those that refuse it.")


class DemoScript(Document):
    """The story of one model's demonstration."""

    reviewer: str = Field(default="demo", description="In whose name the demonstration merges.")
    usual: Slice
    unusual: Slice
    mishap: Mishap


class Stopped(Document):
    """A real change, planted: rows with one value of a feature come no more."""

    says: str = Field(description="What happened, in a sentence.")
    column: str
    value: str


class SeasonScript(Document):
    """The story of one model whose rows have seasons: real weeks, replayed."""

    says: str = Field(description="What the rows are, to complete `every second one of …`.")
    begin: datetime.date = Field(description="The first day that is replayed, in UTC.")
    weeks: int = Field(ge=1, description="Weeks that are replayed; they must be of the training side.")
    alarms: int = Field(ge=0, description="Weeks that may be called drift with the seasonal baseline.")
    quiet: int = Field(ge=0, description="Weeks that may be called no drift without it.")
    settles: int = Field(default=7, ge=1, description="Days after a week, until its labels are looked at once more.")
    change: Stopped


def load(folder: Path) -> DemoScript:
    """The script in the model's *folder*. Raises Misconfigured with the line that is wrong."""
    return model_folder.load(folder / FILE, DemoScript)


def load_season(folder: Path) -> SeasonScript:
    """The script of the seasons in the model's *folder*. Raises Misconfigured with the line that is wrong."""
    return model_folder.load(folder / SEASON, SeasonScript)
