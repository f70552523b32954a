"""Where all pages of ours are rendered: text of others is escaped, and a name that a page does not have is an error."""

import base64
import functools
import hashlib
import os
from pathlib import Path

import jinja2

COMPILED = Path(__file__).parent / "pages" / "__pycache__"
"""Where templates are kept as compiled, as Python keeps its modules; nowhere where this installation is closed to writing."""
LOADER = jinja2.PackageLoader("argosy.report", "pages")


@functools.cache
def style() -> dict[str, str]:
    """What a page needs to be dressed as all of ours: the style sheet, and the hash by which its content security policy allows it."""
    sheet = LOADER.get_source(environment(), "style.css")[0]
    return {"style": sheet, "style_hash": base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}


def environment() -> jinja2.Environment:
    """The templates of ``pages/``, without filters."""
    return jinja2.Environment(
        loader=LOADER,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_kept(),
    )


def _kept() -> jinja2.BytecodeCache | None:
    try:
        COMPILED.mkdir(exist_ok=True)
    except OSError:
        return None
    return jinja2.FileSystemBytecodeCache(str(COMPILED), "%s.pyc") if os.access(COMPILED, os.W_OK) else None
