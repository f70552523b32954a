"""Where Spark is: an address that can be one, and a folder that both see where it is elsewhere."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.domain import executor_names
from argosy.settings import Settings


def read(home: Path, **given: str) -> Settings:
    return Settings.from_environment({"ARGOSY_HOME": str(home), **given})


def test_in_the_step_unless_named(tmp_path: Path) -> None:
    """Nothing has to be set, and no folder is shown to anybody."""
    settings = read(tmp_path)
    assert (settings.spark.master, settings.spark.folder) == ("local[*]", None)
    assert "argosy-spark" in settings.secrets()
    assert settings.places()["argosy-spark"] == []


def test_elsewhere(tmp_path: Path) -> None:
    """The steps that ask it are told, and may write where both see; nobody else is."""
    folder = tmp_path / "shared"
    settings = read(tmp_path, ARGOSY_SPARK_MASTER="sc://spark:15002/;token=t", ARGOSY_SPARK_FOLDER=str(folder))
    told = {name for name, values in settings.secrets().items() if "ARGOSY_SPARK_MASTER" in values}
    assert told == {"argosy-spark"}
    assert settings.places()["argosy-spark"] == [(folder, True)]
    assert "token=t" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            {"ARGOSY_SPARK_MASTER": "spark.example"},
            "ARGOSY_SPARK_MASTER is 'spark.example'; expected local",
            id="no-address",
        ),
        pytest.param(
            {"ARGOSY_SPARK_MASTER": "spark://a:7077"},
            "ARGOSY_SPARK_FOLDER is empty: name a folder",
            id="nothing-that-both-see",
        ),
        pytest.param(
            {**dict.fromkeys(executor_names.TOLD, "x"), executor_names.PLACEMENT: "[pool"},
            "ARGOSY_SPARK_PLACEMENT is no JSON object: '\\[pool'; compile the pipeline again",
            id="no-place",
        ),
    ],
)
def test_what_cannot_be(given: dict[str, str], said: str, tmp_path: Path) -> None:
    """Said before anything is started."""
    with pytest.raises(errors.Misconfigured, match=said):
        read(tmp_path, **given)
