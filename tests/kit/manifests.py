"""How manifests of tests begin."""

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:\n"
"""A Workflow with the name ``wf``, up to its spec."""
ENTRYPOINT = f"{HEAD}  entrypoint: main\n"
"""One that starts with the template ``main``."""
TEMPLATES = f"{ENTRYPOINT}  templates:\n"
"""The same up to its templates."""
