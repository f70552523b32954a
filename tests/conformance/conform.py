"""`make conformance`: records manifests on the real controller, runs each by the engine, and says pass, refused or different by name.

Without a folder it takes the engine's own corpus and writes each recording beside its case; with one, Argo's examples
say, it only reports.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from conformance import comparison, controller

CASES = Path(__file__).parents[1] / "engine" / "cases"


def main() -> int:
    """Record, compare, report. Exit code 1 where anything is different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="manifests to try (default: the engine's own corpus)")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of manifests, without .yaml")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where recordings are written")
    given = parser.parse_args()
    folder = given.folder or CASES
    kept = given.keep or (None if given.folder else CASES)
    paths = sorted(path for path in folder.glob(f"{given.only}.yaml") if not path.stem.endswith(".expected"))
    counts = Counter[str]()
    cluster = controller.Cluster()
    cluster.prepare(comparison.CONFIG_MAPS, comparison.SECRETS)
    for path, recording in controller.record(paths, cluster):
        if kept and "unfinished" not in recording:
            kept.mkdir(parents=True, exist_ok=True)
            text = json.dumps(recording, indent=1, ensure_ascii=False)
            (kept / f"{path.stem}.json").write_text(text + "\n", encoding="utf-8")
        counts[_report(path, recording)] += 1
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 1 if counts["different"] or counts["unfinished"] else 0


def _report(path: Path, recording: controller.Json) -> str:
    found = [] if "unfinished" in recording else comparison.compare(path, controller.name_of(path), recording)
    verdict = "unfinished" if "unfinished" in recording else "different" if found else "pass"
    if verdict == "pass" and "refused" in recording:
        verdict = "refused by both"
    elif found and found[0].startswith("the engine refuses"):
        verdict = "refused"
    print(f"{verdict:16} {path.stem}", *(f"    {line}" for line in found), sep="\n", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
