"""`docs/from-a-table.md`, word by word: from somebody's CSV to a model that was judged and answers."""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "from-a-table.md"


def test_each_command_of_the_page(tmp_path: Path) -> None:
    """The page's commands and its Python run in their order in an empty folder; the first run passes every gate."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARGOSY_", "PYTEST_"))}
    variables = {**kept, "ARGOSY_HOME": str(tmp_path / "home")}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=280, check=False
        )

    text = PAGE.read_text(encoding="utf-8")
    said = {}
    for line in re.findall(r"^\$ (.+)$", text, re.MULTILINE):
        program, *words = shlex.split(line, comments=True)
        done = call(str(Path(sys.executable).with_name(program)), *words)
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        said[words[0]] = done.stdout  # of `python -c` nothing
    assert "all 10 gates hold" in said["run"]
    assert re.search(r"Succeeded .* proposed  v1  accuracy 0\.\d+", said["runs"])
    assert said["why"].splitlines()[0].endswith(": proposed")
    rows = list(csv.DictReader((tmp_path / "answers.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 178
    assert {"target", "prediction_0", "prediction_2", "decision"} <= set(rows[0])
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    run = call(sys.executable, "-c", code)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.startswith("Ready for review")
