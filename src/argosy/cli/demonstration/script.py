"""The script of a demonstration of one model: ``demo.yaml`` in the model's folder.

The demonstration itself knows no model. Which rows are unusual, and what mishap a gate should stop, is the model's own story.
"""

from pathlib import Path

from pydantic import Field

from argosy.domain.documents import Document
from argosy.files import model_folder

FILE = "demo.yaml"


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


class DemoScript(Document):
    """The story of one model's demonstration."""

    reviewer: str = Field(default="demo", description="In whose name the demonstration merges.")
    usual: Slice
    unusual: Slice
    mishap: Mishap


def load(folder: Path) -> DemoScript:
    """The script in the model's *folder*. Raises Misconfigured with the line that is wrong."""
    return model_folder.load(folder / FILE, DemoScript)
