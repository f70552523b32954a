#!/usr/bin/env bash
# Hera 7.1.0: a text such as the short commit "1234e56" is a number to Kubernetes and Argo.
#
# Guess: what is text in Python is text in the manifest, quoted where it looks like a number. Seen: Hera writes by PyYAML, which knows YAML
# 1.1, in which 1234e56 (no point, no sign) is text, and leaves it bare; sigs.k8s.io/yaml 1.6.0, by which Kubernetes, Argo and Helm read,
# has it as 1.234e+59, "1e3" as 1000, "08" as 8 and "0o17" as 15. Read into a field of text it is the text "+Inf", without an error. Of
# commits that are cut to seven digits nearly two in a hundred are digits with an e among them; "12:30", "on" and "007" are quoted.
#
# What Argosy does about it: its compiler hands Hera a dumper of its own, which quotes what Kubernetes would read as a number, and its
# engine reads as Kubernetes does.
#
# PYTHON=… findings/hera-short-commit.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check hera==7.1.0 PyYAML==6.0.4
fi
cd "$scratch"
export GOFLAGS=-mod=mod
mkdir reads
cat > reads/main.go <<'G'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, _ := os.ReadFile(os.Args[1])
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(json))
	var typed struct {
		Spec struct{ Templates []struct{ Container struct{ Args []string } } }
	}
	if err := yaml.Unmarshal(text, &typed); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "as fields of text:", typed.Spec.Templates[0].Container.Args)
}
G
(cd reads && go mod init reads && go get sigs.k8s.io/yaml@v1.6.0 && go build -o ../as-json .) 2> said || { cat said; exit 1; }
cat > try.py <<'P'
import importlib.metadata

from hera.workflows import Container, Parameter, Workflow

print("hera", importlib.metadata.version("hera"), "PyYAML", importlib.metadata.version("PyYAML"))
texts = ["1234e56", "1e3", "08", "0o17", "007", "12:30", "on"]
parameters = [Parameter(name=f"p{place}", value=text) for place, text in enumerate(texts)]
with Workflow(name="try", entrypoint="step", arguments=parameters) as workflow:
    Container(name="step", image="image", args=texts, labels={"commit": texts[0]})
with open("workflow.yaml", "w") as file:
    file.write(workflow.to_yaml())
P
"$python" -W ignore try.py
./as-json workflow.yaml > workflow.json 2> typed
cat typed
grep -qF '[+Inf 1000 8 15 007 12:30 on]' typed
cat > compare.py <<'P'
import json

spec = json.load(open("workflow.json"))["spec"]
step = spec["templates"][0]
found = [each["value"] for each in spec["arguments"]["parameters"]]
print("parameters as Kubernetes reads them:", found, "label:", step["metadata"]["labels"])
assert found == step["container"]["args"] == [1.234e59, 1000, 8, 15, "007", "12:30", "on"]
assert step["metadata"]["labels"] == {"commit": 1.234e59}
P
"$python" compare.py
