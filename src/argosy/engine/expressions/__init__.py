"""The three little languages in Argo's manifests: ``{{tags}}``, expr-lang expressions, and ``when`` conditions.

A library that knows nothing of Argosy. Its doors are ``tags``, ``expr``, ``govaluate`` and ``jsonpath``; ``errors`` has what they raise,
``values`` and ``json_text`` how Go writes values. An expression passes ``parser``, which makes a tree of ``syntax``, ``typecheck``, which
holds its ``types`` against ``signatures``, and ``interpreter``, which calls ``functions``, ``predicates`` and ``sprig``; ``time_limit``
ends it.
"""
