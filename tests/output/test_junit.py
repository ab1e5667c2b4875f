"""The JUnit report is XML that counts, whatever the messages hold."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from trainlint.core.report import Failure
from trainlint.output import junit


@pytest.fixture
def read():
    """Return a function that parses the report."""
    return lambda linted: ET.fromstring("\n".join(junit.render(linted)).encode())  # noqa: S314 - our own


def counts(element):
    """Return how many tests, failures and errors an element says there are."""
    return tuple(int(element.get(name)) for name in ("tests", "failures", "errors", "skipped"))


def test_nothing_found_is_a_test_that_passes(read, linted, report):
    root = read(linted(report()))
    assert root.tag == "testsuites"
    assert counts(root) == (1, 0, 0, 0)
    (case,) = root.iter("testcase")
    assert list(case) == []


def test_each_file_is_a_suite_and_the_counts_are_those_of_its_tests(
    read, linted, report, diagnosis
):
    lost = (Failure("g.py", 3, "broken"), Failure("g.py", None, "rule failed"))
    two = report(diagnosis(), diagnosis())
    mixed = report(diagnosis(path="g.py"), path="g.py", failures=lost)
    root = read(linted(two, report(path="clean.py"), mixed))
    assert counts(root) == (5, 3, 2, 0)
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["f.py", "g.py"]
    for suite in suites.values():
        failed, errors = len(list(suite.iter("failure"))), len(list(suite.iter("error")))
        assert counts(suite) == (len(list(suite.iter("testcase"))), failed, errors, 0)


def test_a_diagnosis_is_a_failed_test_and_a_failure_an_error(read, linted, report, diagnosis):
    root = read(linted(report(diagnosis(), failures=(Failure("f.py", 3, "broken"),))))
    one, other = root.iter("testcase")
    assert one.attrib == {
        "name": "org.trainlint.TL301",
        "classname": "f",
        "line": "3",
        "column": "5",
    }
    assert one.find("failure").attrib == {"message": "said"}
    assert one.find("failure").text == "line 3, col 5, said Do it."
    assert one.find("properties/property").attrib == {"name": "severity", "value": "error"}
    assert other.get("line") == "3"
    assert other.find("error").attrib == {"message": "broken"}
    assert other.find("error").text == "f.py:3: broken"


def test_any_text_comes_back_but_for_what_no_xml_may_hold(read, linted, report, diagnosis):
    said = "`a < b & \"c\" > 'd' ]]>` é 中 😀"
    path = 'a"<&>é.py'
    root = read(linted(report(diagnosis(message=said, path=path), path=path)))
    assert root.find(".//failure").get("message") == said
    assert root[0].get("name") == path
    assert next(root.iter("testcase")).get("classname") == path.removesuffix(".py")
    strange = diagnosis(message="\x1b[31m\x00 \udcff \ufffe")
    root = read(linted(report(strange)))
    assert root.find(".//failure").get("message") == "\ufffd[31m\ufffd \ufffd \ufffd"


def test_the_report_is_the_same_in_every_encoding(linted, report, diagnosis):
    text = "\n".join(junit.render(linted(report(diagnosis(message="é 😀")))))
    assert text.isascii()
