"""Lets a failed assertion of a contract suite show its values, as in any test file."""

import pytest

pytest.register_assert_rewrite("argosy.testing")
