"""How to install what comes with an extra: from where this Argosy came from, never by its bare name.

A name on an index belongs to whoever registered it first. Where Argosy was installed from a file or a folder, it is named, and
its hash, if the installer kept it. Where nobody knows, a wheel is to be named.
Standard library only: the engine and the command say it.
"""

import json
import shlex
from importlib import metadata
from urllib.parse import unquote, urlsplit

NAME = "argosy"


def advice(*extras: str) -> str:
    """The command that installs one of *extras*, or the commands between which there is a choice."""
    return " or ".join(f"pip install {_requirement(extra)}" for extra in extras)


def _requirement(extra: str) -> str:
    distribution = metadata.distribution(NAME)
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    wanted = f"{NAME}[{extra}]"
    if not origin:  # an index, or a folder of files, that the next command may not ask
        return shlex.quote(f"{wanted} @ file:///PATH/{NAME}-{distribution.version}-py3-none-any.whl")
    if origin.get("dir_info", {}).get("editable"):
        return f"--editable {shlex.quote(unquote(urlsplit(origin['url']).path) + f'[{extra}]')}"
    digest = (origin.get("archive_info") or {}).get("hashes", {}).get("sha256")
    return shlex.quote(f"{wanted} @ {origin['url']}" + (f"#sha256={digest}" if digest else ""))
