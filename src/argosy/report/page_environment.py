"""Where all pages of ours are rendered: text of others is escaped, and a name that a page does not have is an error."""

import jinja2


def environment() -> jinja2.Environment:
    """The templates of ``pages/``, without filters."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("argosy.report", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
