#!/usr/bin/env bash
# bm25s 0.3.16: a question with no known word gets documents, and a word of one letter is no word.
#
# Guess: where nothing matches, nothing is returned. Seen: retrieve() fills up to k with documents of score 0, which stand like the others in
# what it returns; and the default tokenizer drops words of one letter, so "plan b" finds plan A and plan B alike, and "b" alone finds two
# documents that have nothing to do with it. An answerer that takes the first k sections cites documents that say nothing of the matter.
#
# What Argosy does about it: sections with a score of 0 are not handed to the model, and a question without sections is refused.
#
# PYTHON=… findings/bm25s-answers-without-match.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check bm25s==0.3.16 numpy==2.4.6
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

import bm25s

print("bm25s", importlib.metadata.version("bm25s"))
documents = ["plan a costs ten", "plan b costs twenty", "tax is added", "see the list"]
index = bm25s.BM25()
index.index(bm25s.tokenize(documents, show_progress=False), show_progress=False)
found = {}
for question in ("plan b", "b", "zebra", "twenty"):
    places, scores = index.retrieve(bm25s.tokenize(question, show_progress=False), k=2, show_progress=False)
    found[question] = list(zip(places[0].tolist(), scores[0].tolist()))
    print(f"{question:<8} {found[question]}")
assert found["plan b"][0][1] == found["plan b"][1][1] > 0
assert [score for _, score in found["b"]] == [0, 0]
assert [score for _, score in found["zebra"]] == [0, 0]
assert found["twenty"][0][0] == 1 and found["twenty"][1][1] == 0
P
"$python" -W ignore try.py
