"""What `trainlint rules` lists."""

from __future__ import annotations

import json

from trainlint.core.catalogue import load_catalogue


def rows(done):
    """Return the cells of the lines below the heading, by the name of the rule."""
    heading, *lines = done.out.splitlines()
    assert heading.split() == ["code", "name", "severity", "family", "fix", "on"]
    return {line.split()[1]: line.split() for line in lines}


def test_every_rule_is_listed_in_the_order_of_the_codes(trainlint):
    done = trainlint("rules")
    assert (done.code, done.err) == (0, "")
    listed = rows(done)
    assert set(listed) == set(load_catalogue(("trainlint.rules",)).rules)
    codes = [row[0] for row in listed.values()]
    assert codes == sorted(codes)


def test_a_row_tells_severity_family_fix_and_whether_the_rule_is_on(trainlint):
    listed = rows(trainlint("rules"))
    name = "softmax-before-cross-entropy"
    assert listed[name] == ["TL301", name, "error", "loss", "unsafe", "on"]
    name = "unused-suppression"
    assert listed[name] == ["TL001", name, "advice", "lint", "safe", "off"]
    name = "layer-created-in-forward"
    assert listed[name] == ["TL202", name, "error", "activation", "-", "on"]


def test_only_the_rules_of_a_family_are_listed_on_demand(trainlint):
    listed = rows(trainlint("rules", "--family", "loop"))
    assert "missing-zero-grad" in listed
    assert {row[3] for row in listed.values()} == {"loop"}


def test_an_unknown_family_is_one_line(trainlint):
    done = trainlint("rules", "--family", "lop")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "'loop'" in done.err


def test_options_and_configuration_turn_rules_on_and_off(folder, trainlint):
    (folder / "trainlint.toml").write_text('extend-select = ["TL001"]\nignore = ["TL3"]\n')
    listed = rows(trainlint("rules"))
    assert listed["unused-suppression"][-1] == "on"
    assert listed["softmax-before-cross-entropy"][-1] == "off"
    listed = rows(trainlint("rules", "--isolated", "--ignore", "missing-zero-grad"))
    assert listed["unused-suppression"][-1] == "off"
    assert listed["softmax-before-cross-entropy"][-1] == "on"
    assert listed["missing-zero-grad"][-1] == "off"


def test_the_list_is_given_as_json(trainlint):
    done = trainlint("rules", "--output-format", "json", "--family", "loss")
    document = json.loads(done.out)
    assert document["version"] == 1
    first = document["rules"][0]
    assert first == {
        "rule": "softmax-before-cross-entropy",
        "code": "TL301",
        "family": "loss",
        "severity": "error",
        "fixable": "unsafe",
        "title": first["title"],
        "thresholds": {},
        "on": True,
    }
    assert first["title"].endswith(".")
    assert {rule["family"] for rule in document["rules"]} == {"loss"}
