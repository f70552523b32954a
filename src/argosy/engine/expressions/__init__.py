"""The three little languages in Argo's manifests: ``{{tags}}``, expr-lang expressions, and ``when`` conditions."""
