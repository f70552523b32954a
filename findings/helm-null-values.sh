#!/usr/bin/env bash
# Helm 3.22.0 and 4.1.0 read `null` in a user's values differently, and both take a default away before the chart's schema is asked.
#
# Guess: `null` is a value like another, so a schema that says `type: array` refuses `steps: null`, in every version alike.
# Seen: where values.yaml has a default, both versions drop the value and check what is left; a schema without `required` is content, and
# the template gets nothing. A null in a map whose default is empty is kept by 3.22.0, whose schema refuses it ("got null, want string"),
# and dropped by 4.1.0, which renders.
#
# What Argosy does about it: every value with a default is `required` in the schemas of its charts (charts/reference.py writes it), at each
# level, so that a canary is never rendered without its steps; `argosy env check` lays values over defaults the same way.
#
# Needs Go 1.25 or newer and ten minutes: both versions are built from their Go modules.
set -euo pipefail
command -v go >/dev/null || { echo "skipped: no go on PATH"; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
GOBIN="$scratch/three" go install helm.sh/helm/v3/cmd/helm@v3.22.0 2>/dev/null
GOBIN="$scratch/four" go install helm.sh/helm/v4/cmd/helm@v4.1.0 2>/dev/null

mkdir -p chart/templates
printf 'apiVersion: v2\nname: chart\nversion: 0.1.0\n' >chart/Chart.yaml
printf 'canary:\n  steps: [10, 100]\nlabels: {}\n' >chart/values.yaml
cat >chart/values.schema.json <<'S'
{"type": "object", "properties": {
  "canary": {"type": "object", "properties": {"steps": {"type": "array", "minItems": 1}}},
  "labels": {"type": "object", "additionalProperties": {"type": "string"}}}}
S
cat >chart/templates/it.yaml <<'T'
kind: ConfigMap
apiVersion: v1
metadata: {name: it}
data:
  steps: "{{ len (.Values.canary.steps | default list) }} steps"
  labels: "{{ len (.Values.labels | default dict) }} labels"
T
printf 'canary: {steps: null}\n' >default.yaml
printf 'labels: {team: null}\n' >none.yaml

# What a version makes of one file of values: a line of what it renders, or what its schema says.
seen() {
    "$1/helm" template it chart --values "$2" 2>&1 | sed -n -E 's/^  (steps|labels): /\1 /p; s/.*(got null, want [a-z]+).*/\1/p' | tr '\n' ' '
}
for version in three four; do
    for values in default none; do
        printf '%s %s: %s\n' "$version" "$values" "$(seen "$version" "$values.yaml")"
    done
done | tee seen
diff seen - <<'E'
three default: steps "0 steps" labels "0 labels" 
three none: got null, want string 
four default: steps "0 steps" labels "0 labels" 
four none: steps "2 steps" labels "0 labels" 
E
echo "as seen on Helm 3.22.0 and 4.1.0"
