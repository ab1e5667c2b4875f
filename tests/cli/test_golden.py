"""Each output format, compared to the letter with a file in tests/golden.

`TRAINLINT_GOLDEN=write` makes the files anew; look at their difference before you keep them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
RULES = "softmax-before-cross-entropy,missing-zero-grad"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("full.txt", ["--output-format", "full"]),
        ("full-in-colours.txt", ["--output-format", "full", "--color", "always"]),
        ("concise.txt", ["--output-format", "concise"]),
        ("diagnoses.json", ["--output-format", "json"]),
        ("github.txt", ["--output-format", "github"]),
        ("statistics.txt", ["--statistics"]),
        ("statistics.json", ["--statistics", "--output-format", "json"]),
    ],
)
@pytest.mark.usefixtures("script")
def test_the_output_is_the_golden_one(folder, trainlint, name, arguments):
    (folder / "broken.py").write_text("import torch\n\ndef f(:\n    pass\n")
    done = trainlint("check", "--select", RULES, *arguments)
    assert done.code == 2
    assert done.err == "error: broken.py:3: syntax error: invalid syntax\n"
    path = GOLDEN / name
    if os.environ.get("TRAINLINT_GOLDEN") == "write":
        path.write_text(done.out)
    assert done.out == path.read_text()
