"""Each line is an object of its own, with the keys that the format `json` has."""

from __future__ import annotations

import json

from trainlint.core.report import Failure
from trainlint.output import json_format, json_lines


def test_each_line_says_what_it_is_and_has_the_keys_of_json(linted, report, diagnosis):
    found = linted(report(diagnosis(message="a\nb"), failures=(Failure("f.py", 3, "broken"),)))
    lines = list(json_lines.render(found))
    assert not any("\n" in line for line in lines)
    one, lost = map(json.loads, lines)
    document = json.loads("".join(json_format.render(found)))
    assert one == {"version": 1, "type": "diagnosis", **document["diagnoses"][0]}
    assert lost == {"version": 1, "type": "failure", **document["failures"][0]}


def test_nothing_found_is_no_line(linted, report):
    assert list(json_lines.render(linted(report()))) == []


def test_what_could_not_be_followed_is_told_where_it_is_asked_for(lint):
    adam = "import torch\n\n\ndef adam(net, rate):\n    return torch.optim.Adam(net, lr=rate())\n"
    found = lint("optimizer", {"train.py": adam}, unresolved=True)
    lines = [json.loads(line) for line in json_lines.render(found)]
    (one,) = (line for line in lines if line.get("expression") == "rate()")
    assert one["type"] == "unresolved"
    assert set(one) == {"version", "type", "path", "span", "expression", "reason"}
    silent = lint("optimizer", {"train.py": adam})
    assert list(json_lines.render(silent)) == []
