"""Copy the pages of docs/ that questions are answered from: Argosy's own documentation, under Argosy's licence.

python workflows/support_answers/data.py [FOLDER]
"""

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "concepts.md",
    "exit-codes.md",
    "faq.md",
    "fleet.md",
    "from-a-table.md",
    "migration.md",
    "operations.md",
    "runbook.md",
    "runs.md",
    "scoring.md",
)


def write(folder: Path) -> None:
    """Copy the pages to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        shutil.copyfile(DOCS / page, folder / page)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "data/support_answers"))
