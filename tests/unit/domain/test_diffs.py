"""A unified diff, file by file."""

from argosy.domain import diffs

TEXT = """diff --git a/models/toy/staging/version.yaml b/models/toy/staging/version.yaml
--- a/models/toy/staging/version.yaml
+++ b/models/toy/staging/version.yaml
@@ -1,2 +1,3 @@
 model: "toy"
-version: 1
+version: 2
+image: "diff --git a/x b/x"
diff --git a/old name b/new name
similarity index 100%
"""


def test_each_file_with_its_lines() -> None:
    """Header lines count as no change; a line of a file that looks like a header begins no file."""
    version, moved = diffs.files(TEXT)
    assert (version.path, version.added, version.removed) == ("models/toy/staging/version.yaml", 2, 1)
    assert version.text.endswith('b/x"')
    assert (moved.path, moved.added, moved.removed) == ("new name", 0, 0)
    assert "\n".join(file.text for file in (version, moved)) + "\n" == TEXT


def test_no_change() -> None:
    """Nothing is no file."""
    assert list(diffs.files("")) == []
