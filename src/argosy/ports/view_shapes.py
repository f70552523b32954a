"""Views of features as documents, and back: what a version's features were looked up by travels with the version."""

from argosy.domain import epoch
from argosy.domain.data import FeatureViewShape, TakenColumn
from argosy.ports.tables import AsOfView, Taken


def shape(view: AsOfView) -> FeatureViewShape:
    """*view* as a document."""
    return FeatureViewShape(
        source=view.source,
        keys=list(view.keys),
        time=view.time,
        created=view.created,
        lifetime_microseconds=None if view.lifetime is None else view.lifetime // epoch.MICROSECOND,
        unambiguous=view.unambiguous,
        columns=[TakenColumn(name=one.name, column=one.column, type=one.type) for one in view.columns],
    )


def view(shape: FeatureViewShape) -> AsOfView:
    """The view that *shape* is of."""
    lifetime = shape.lifetime_microseconds
    return AsOfView(
        source=shape.source,
        keys=shape.keys,
        time=shape.time,
        created=shape.created,
        lifetime=None if lifetime is None else lifetime * epoch.MICROSECOND,
        unambiguous=shape.unambiguous,
        columns=[Taken(one.column, one.name, one.type) for one in shape.columns],
    )
