"""What tests of a language model share: a small bundle, made as the pipeline makes it, without network and key."""

import json
from pathlib import Path
from typing import Any

from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.steps.assemble import run as assemble

REFUSAL = "I do not know."
PAGE = """# Help

## Backup

The remedy for backup trouble is command number one.

## Drift

The remedy for drift trouble is command number two.
"""
KNOWN, UNKNOWN = "What helps against backup trouble?", "Will it rain in Berlin tomorrow?"
CHAT = {"kind": "chat", "endpoint": "http://127.0.0.1:9/v1", "model": "m"}


def settings(**changes: Any) -> AnswerSettings:
    """The settings of the model ``help``."""
    return AnswerSettings.model_validate(
        {
            "model": "help",
            "task": "answers",
            "description": "d",
            "owner": "o",
            "seed": 7,
            "documents": ["help.md"],
            "answerer": {"kind": "extractive", "sentences": 1, "least_cover": 0.3},
            "refusal": REFUSAL,
            "judge": {"kind": "lexical"},
            "retrieval": {"passages": 1},
            **changes,
        }
    )


def write_bundle(place: Path, of: AnswerSettings) -> Path:
    """The bundle of the model with these settings, in a folder of *place*."""
    snapshot = place / "snapshot"
    snapshot.mkdir(parents=True)
    (snapshot / "help.md").write_text(PAGE, encoding="utf-8")
    asked = {"id": "backup", "question": KNOWN, "reference": "Command number one.", "sections": ["help.md#backup"]}
    (snapshot / "questions.jsonl").write_text(f"{json.dumps(asked)}\n", encoding="utf-8")
    made = place / "bundle"
    assemble.run(settings=of, prompt="{{refusal}}\n{{passages}}\n{{question}}\n", snapshot=snapshot, out=made)
    return made
