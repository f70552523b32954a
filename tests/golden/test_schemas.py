"""JSON Schemas, of settings for editors, of evidence and of what `plan --json` prints, are generated, and committed as generated."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.circumstances import Circumstances
from argosy.domain.documents import Document
from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.overrides import Overrides
from argosy.domain.policy import Policy
from argosy.domain.run_plans import RunPlan
from kit import quick_yaml

ROOT = Path(__file__).parents[2]
SCHEMAS: dict[str, type[Document]] = {
    "model": ModelSettings,
    "answers": AnswerSettings,
    "policy": Policy,
    "overrides": Overrides,
    "plan": RunPlan,
    "evidence": Evidence,
    "circumstances": Circumstances,
}


def _text(kind: type[Document]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_what_the_settings_say(name: str) -> None:
    """A new setting without its schema would be marked as wrong in every editor."""
    path = ROOT / "docs" / "schema" / f"{name}.schema.json"
    if os.environ.get("ARGOSY_REGENERATE") == "1":
        assert "CI" not in os.environ, "CI never rewrites what it checks"
        path.write_text(_text(SCHEMAS[name]), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == _text(SCHEMAS[name]), "run the tests with ARGOSY_REGENERATE=1"


def _schema_of(settings: Path) -> str:
    """Which schema *settings* are held against: by the task alone, whatever the folder's name."""
    return "answers" if quick_yaml.load(settings.read_text(encoding="utf-8"))["task"] == "answers" else "model"


def test_every_model_is_held_against_a_schema(tmp_path: Path) -> None:
    """A model of tables may have a name that ends as any other does."""
    for task in ("answers", "binary"):
        (tmp_path / f"{task}-delays-answers.yaml").write_text(f"task: {task}\n", encoding="utf-8")
    assert [_schema_of(file) for file in sorted(tmp_path.iterdir())] == ["answers", "model"]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        pytest.param("model", "workflows/*/model.yaml", id="settings"),
        pytest.param("answers", "workflows/*/model.yaml", id="settings-of-language-models"),
        pytest.param("policy", "gitops-env/policies/*.yaml", id="policies"),
    ],
)
def test_committed_files_satisfy_the_schema(name: str, pattern: str) -> None:
    """An editor that knows the schema finds nothing wrong with what we ship."""
    schema = json.loads((ROOT / "docs" / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))
    files = [file for file in sorted(ROOT.glob(pattern)) if name == "policy" or _schema_of(file) == name]
    assert len(files) >= (1 if name == "answers" else 2)
    for file in files:
        plain = json.loads(
            json.dumps(quick_yaml.load(file.read_text(encoding="utf-8")), default=lambda value: value.isoformat())
        )
        jsonschema.validate(plain, schema, format_checker=jsonschema.FormatChecker())
