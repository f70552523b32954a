#!/usr/bin/env bash
# river 0.26.1: the cross entropy of an answer that leaves the true class out is 0, the best there is.
#
# Guess: a class that the model gives no probability is one of probability 0, and costs the most, as river's own LogLoss has it (34.5).
# Seen: only the classes of the answer are looked at, and what is not among them costs nothing. Online, each class is new once, and a model
# answers with the classes it has seen: the mean falls with every surprise, and a model that answers {} is perfect. A model that learns the
# new class well, from 0.9 on, is worse than one that never does.
#
# What Argosy does about it: probabilities are those of all classes of the contract, in its order; a class without one is an error.
#
# PYTHON=… findings/river-unknown-class-costs-nothing.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check river==0.26.1
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

from river import metrics

print("river", importlib.metadata.version("river"))


def cost(answers):
    metric = metrics.CrossEntropy()
    for truth, answer in answers:
        metric.update(truth, answer)
    return metric.get()


missing, least, most = cost([("new", {"a": 0.9, "b": 0.1})]), cost([("new", {"new": 0.9})]), cost([("new", {"a": 1.0, "new": 0.0})])
log_loss = metrics.LogLoss()
log_loss.update(True, {False: 1.0})
print(f"left out {missing}, probability 0.9 {least:.3f}, probability 0 {most:.1f}, nothing said {cost([('new', {})])}")
print(f"LogLoss of a class left out {log_loss.get():.1f}")
assert missing == cost([("new", {})]) == 0 < least < most
assert log_loss.get() > 34
mixed = [("a", {"a": 0.5, "b": 0.5}), ("new", {"a": 0.5, "b": 0.5})]
assert cost(mixed) < cost(mixed[:1])
P
"$python" -W ignore try.py
