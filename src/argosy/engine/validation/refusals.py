"""The wording of a refusal: where in the manifest, what, and what to do."""

from argosy import errors


class Refusal(Exception):
    """Something Argo would refuse. *where*: the field's path below the place that catches it."""

    def __init__(self, where: str, what: str, *, whole: bool = False) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where
        self.what = what
        self.whole = whole
        """True where *where* begins at the top of the manifest."""

    def at(self, outer: str) -> "Refusal":
        """The same refusal seen from further out."""
        if self.whole:
            return self
        joined = f"{outer}{'' if self.where.startswith('[') or not self.where else '.'}{self.where}"
        return Refusal(joined, self.what)

    def of_file(self, path: str) -> errors.Misconfigured:
        """The refusal as an error of the file *path*."""
        return errors.Misconfigured(f"{path}: {self.where}: {self.what}" if self.where else f"{path}: {self.what}")
