"""Sources in a bucket: copied to this machine, where what reads tables finds them.

Only the files that a model's settings name are copied; an object that is one of them in the middle of being replaced is taken whole, old or
new, because a bucket gives one version of an object at a time.
"""

from collections.abc import Sequence
from pathlib import Path

from argosy import errors, s3_client
from argosy.adapters.s3 import client


def fetch(uri: str, files: Sequence[str], into: Path, *, optional: bool = False) -> None:
    """Copy *files* of the prefix *uri* to the folder *into*.

    Raises Misconfigured with all that are not there, unless they are *optional*; TryAgain where the store fails.
    """
    bucket, prefix = client.split(uri, "the parameter data")
    store = client.connect()
    absent: list[str] = []
    for file in files:
        key = "/".join(part for part in (prefix, file) if part)
        with client.reported(f"read {client.SCHEME}{bucket}/{key}"):
            try:
                store.download_file(bucket, key, str(into / Path(file).name))
            except s3_client.ClientError as error:
                if not s3_client.is_missing(error):
                    raise
                absent.append(f"there is no object {client.SCHEME}{bucket}/{key}")
    if absent and not optional:
        raise errors.Misconfigured(errors.listed(absent))
