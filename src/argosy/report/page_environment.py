"""Where all pages of ours are rendered: text of others is escaped, and a name that a page does not have is an error."""

import base64
import functools
import hashlib

import jinja2

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
    )
