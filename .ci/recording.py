"""Record what README shows: real commands, run here in a state folder of their own, drawn as an SVG that plays. `make recording`.

What a command prints is shown as it was printed, in the order and at the pace of then, pauses cut short; long outputs lose their middle.
Nothing is typed in by hand but the commands.
"""

import html
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "recording.svg"
COMMANDS = (
    "argosy plan churn",
    "argosy run churn",
    "argosy pr list",
    "argosy pr merge 1",
    "argosy status",
    "argosy trace churn@staging",
)
MOST_LINES = 26
"""Lines of one command that are shown: the first and the last."""
REVIEWER = "ada"
"""Stands for whoever records it."""
COLUMNS, ROWS = 110, 24
LINE, CHARACTER = 19, 8.43
PAUSE, READING, TYPING = 0.35, 2.2, 0.9
"""Seconds: the longest between two lines, after a command, and before it."""
TYPED = ' class="typed"'
OF_A_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass(frozen=True)
class Shown:
    """One line, and the seconds that it is waited for."""

    text: str
    after: float
    typed: bool = False


def recorded(command: str, home: str) -> list[Shown]:
    """*command*, as it ran. Raises SystemExit where it failed: a recording shows what works."""
    found, last = [Shown(f"$ {command}", TYPING, typed=True)], time.monotonic()
    environment = {**os.environ, "ARGOSY_HOME": home, "COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
    words = [sys.executable, "-m", "argosy.cli.main", *command.split()[1:]]
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            now = time.monotonic()
            found.append(Shown(_of_anybody(line.rstrip(), home), min(PAUSE, now - last)))
            last = now
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}:\n" + "\n".join(each.text for each in found))
    if len(found) > MOST_LINES:
        half = MOST_LINES // 2
        left = Shown(f"   … {len(found) - 2 * half} lines …", PAUSE)
        found = [*found[:half], left, *found[-half:]]
    return [*found, Shown("", READING)]


def _of_anybody(line: str, home: str) -> str:
    """*line* as it would be said to anybody: no path of this machine, and nobody's name."""
    name = subprocess.run(
        ["git", "config", "user.name"], cwd=ROOT, text=True, capture_output=True, check=False
    ).stdout.strip()
    said = OF_A_TERMINAL.sub("", line).replace(home, "~/.local/share/argosy").replace(str(ROOT), ".")
    return said.replace(name, REVIEWER) if name else said


def drawn(lines: list[Shown]) -> str:
    """*lines* as an SVG: one column of text that moves up a line at a time behind a window."""
    width, height = round(COLUMNS * CHARACTER + 40), ROWS * LINE + 34
    ends = list(accumulate(line.after for line in lines))
    whole = ends[-1] + 3.0
    steps = "".join(
        f"{100 * end / whole:.2f}%{{transform:translateY({-LINE * (place + 1)}px)}}" for place, end in enumerate(ends)
    )
    texts = "".join(
        f'<text x="20" y="{ROWS * LINE + LINE * (place + 1) + 22}"{TYPED if line.typed else ""}>'
        f"{html.escape(_cut(line.text), quote=False)}</text>"
        for place, line in enumerate(lines)
    )
    last = -LINE * len(lines)
    style = (
        "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d6dee7;white-space:pre}"
        ".typed{fill:#82b4ff;font-weight:bold}"
        f"#lines{{animation:up {whole:.1f}s step-end infinite}}@keyframes up{{0%{{transform:none}}{steps}"
        f"100%{{transform:translateY({last}px)}}}}"
        f"@media (prefers-reduced-motion:reduce){{#lines{{animation:none;transform:translateY({last}px)}}}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="Argosy in a terminal: {html.escape("; ".join(COMMANDS))}"><style>{style}</style>'
        '<rect width="100%" height="100%" rx="10" fill="#0e1318"/>'
        f'<clipPath id="window"><rect y="10" width="{width}" height="{height - 14}"/></clipPath>'
        f'<g clip-path="url(#window)"><g id="lines">{texts}</g></g></svg>\n'
    )


def _cut(text: str) -> str:
    return text if len(text) <= COLUMNS else f"{text[: COLUMNS - 1]}…"


def main() -> None:
    """Run the commands, and write the picture."""
    with tempfile.TemporaryDirectory() as home:
        lines = [line for command in COMMANDS for line in recorded(command, home)]
    PICTURE.write_text(drawn(lines), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(lines)} lines, {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
