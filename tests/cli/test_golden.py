"""Each output format, compared to the letter with a file in tests/golden.

`TRAINLINT_GOLDEN=write` makes the files anew; look at their difference before you keep them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from trainlint.output.formats import FORMATS

GOLDEN = Path(__file__).parents[1] / "golden"
WRITE = os.environ.get("TRAINLINT_GOLDEN") == "write"
RULES = "softmax-before-cross-entropy,missing-zero-grad"
CASES = [
    ("full.txt", ["--output-format", "full"]),
    ("full-in-colours.txt", ["--output-format", "full", "--color", "always"]),
    ("concise.txt", ["--output-format", "concise"]),
    ("diagnoses.json", ["--output-format", "json"]),
    ("grouped.txt", ["--output-format", "grouped"]),
    ("diagnoses.jsonl", ["--output-format", "json-lines"]),
    ("junit.xml", ["--output-format", "junit"]),
    ("github.txt", ["--output-format", "github"]),
    ("gitlab.json", ["--output-format", "gitlab"]),
    ("azure.txt", ["--output-format", "azure"]),
    ("diagnoses.sarif", ["--output-format", "sarif"]),
    ("rdjson.json", ["--output-format", "rdjson"]),
    ("pylint.txt", ["--output-format", "pylint"]),
    ("statistics.txt", ["--statistics"]),
    ("statistics.json", ["--statistics", "--output-format", "json"]),
]


def settled(name, text, folder):
    """Return an output without what a change of a page, a version or a folder would move."""
    if not name.endswith(".sarif"):
        return text
    document = json.loads(text.replace(folder.as_uri(), "file:///FOLDER"))
    driver = document["runs"][0]["tool"]["driver"]
    driver["version"] = "VERSION"
    for rule in driver["rules"]:
        for key in ("shortDescription", "fullDescription", "help"):
            rule[key] = dict.fromkeys(rule[key], "PAGE")
    return json.dumps(document, indent=2) + "\n"


def test_each_format_has_a_golden_file():
    shown = {arguments[-1] for _, arguments in CASES if arguments[0] == "--output-format"}
    assert shown - {"always"} == set(FORMATS)


@pytest.mark.parametrize(("name", "arguments"), CASES)
@pytest.mark.usefixtures("script")
def test_the_output_is_the_golden_one(folder, trainlint, name, arguments):
    (folder / "broken.py").write_text("import torch\n\ndef f(:\n    pass\n")
    done = trainlint("check", "--select", RULES, *arguments)
    assert done.code == 2
    assert done.err == "error: broken.py:3: syntax error: invalid syntax\n"
    shown = settled(name, done.out, folder)
    path = GOLDEN / name
    if WRITE:
        path.write_text(shown)
    assert shown == path.read_text()
