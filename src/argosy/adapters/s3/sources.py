"""Sources in a bucket: copied to this machine, where what reads tables finds them.

Only what a model's settings name is copied; an object that is one of them in the middle of being replaced is taken whole, old or
new, because a bucket gives one version of an object at a time.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from argosy import errors, s3_client, scratch
from argosy.adapters.s3 import addresses, client
from argosy.domain import watermarks
from argosy.domain.data import ReachedPlace
from argosy.domain.source_settings import Source


def fetch(uri: str, files: Sequence[str], into: Path, *, optional: bool = False) -> None:
    """Copy *files* of the prefix *uri* to the folder *into*.

    Raises Misconfigured with all that are not there, unless they are *optional*; TryAgain where the store fails,
    LocalDisk where one is larger than the room there is.
    """
    bucket, prefix = addresses.split(uri, "the parameter data")
    store = client.connect()
    absent: list[str] = []
    for file in files:
        key = "/".join(part for part in (prefix, file) if part)
        with client.reported(f"read {addresses.SCHEME}{bucket}/{key}"):
            try:
                size = store.head_object(Bucket=bucket, Key=key)["ContentLength"]
                scratch.demand_room(into, size, f"{addresses.SCHEME}{bucket}/{key}")
                store.download_file(bucket, key, str(into / Path(file).name))
            except s3_client.ClientError as error:
                if not client.is_absent(store, bucket, error):
                    raise
                absent.append(f"there is no object {addresses.SCHEME}{bucket}/{key}")
    if absent and not optional:
        raise errors.Misconfigured(errors.listed(absent))


def fetch_folder(
    uri: str, source: Source, into: Path, since: ReachedPlace | None = None, *, optional: bool = False
) -> Mapping[str, int]:
    """Copy the objects below the folder of *source*, at the prefix *uri*, to a folder of that name in *into*, but for the partitions that
    are settled *since* it was read before; the size of each partition, by its path.

    Raises Misconfigured where there is none, unless it is *optional*; TryAgain where the store fails, LocalDisk where they are larger than
    the room there is.
    """
    bucket, prefix = addresses.split(uri, "the parameter data")
    store = client.connect()
    folder = source.folder or ""
    start = "/".join(part for part in (prefix, folder) if part) + "/"
    with client.reported(f"read {addresses.SCHEME}{bucket}/{start}"):
        pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        found = {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}
        wanted = {key: size for key, size in found.items() if not key.endswith("/")}
        if not wanted and not optional:
            raise errors.Misconfigured(f"there are no objects below {addresses.SCHEME}{bucket}/{start}")
        sizes = {
            _below(key.removeprefix(start), f"{addresses.SCHEME}{bucket}/{key}"): size for key, size in wanted.items()
        }
        read = [path for path in sizes if since is None or not watermarks.is_settled(source, path, since)]
        scratch.demand_room(into, sum(sizes[path] for path in read), f"{addresses.SCHEME}{bucket}/{start}")
        for path in read:
            file = into / folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            store.download_file(bucket, start + path, str(file))
    return {path: size for path, size in sizes.items() if not watermarks.is_beside(path)}


def _below(path: str, shown: str) -> str:
    """*path*, which is a place below a folder. Raises Misconfigured where it leads elsewhere."""
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise errors.Misconfigured(f"{shown} is no name of a file in a folder of partitions; rename the object")
    return path
