"""The page about what changed in the data: the tables of ``change_tables``, self-contained."""

from argosy.domain.data_diff import DataChange
from argosy.report import change_tables, page_environment


def render(change: DataChange) -> str:
    """The page as HTML."""
    page = page_environment.environment().get_template("data_changes.html.j2")
    return page.render(
        title=change_tables.title(change), tables=change_tables.tables(change), **page_environment.style()
    )
