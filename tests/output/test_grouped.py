"""The lines stand under their files, in columns."""

from __future__ import annotations

from trainlint.core.diagnosis import Severity, Span
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.report import Failure
from trainlint.output import grouped


def test_places_stand_in_columns_under_their_file(linted, report, diagnosis):
    first = report(
        diagnosis(),
        diagnosis(span=Span(120, 12, 120, 13), severity=Severity.WARNING),
        failures=(Failure("f.py", None, "rule x failed"), Failure("f.py", 7, "broken")),
    )
    second = report(diagnosis(path="g.py"), path="g.py")
    assert list(grouped.render(linted(first, report(path="clean.py"), second))) == [
        "f.py:",
        "    3:5  error TL301 a-rule: said",
        "  120:12 warning TL301 a-rule: said",
        "         failure rule x failed",
        "    7    failure broken",
        "",
        "g.py:",
        "  3:5 error TL301 a-rule: said",
        "",
        "Found 3 diagnoses (2 errors, 1 warning) in 3 files; 1 file could not be linted.",
    ]


def test_what_fix_would_mend_is_marked(linted, report, diagnosis):
    fix = Fix("Mend", Safety.UNSAFE, (Edit(0, 1, ""),))
    found = report(diagnosis(fix=fix))
    assert "[*]" not in next(iter(list(grouped.render(linted(found, summary=False)))[1:]))
    shown = list(grouped.render(linted(found, summary=False, unsafe=True)))
    assert shown[1] == "  3:5 error TL301 [*] a-rule: said"


def test_failures_are_not_told_twice_in_a_file(linted, report):
    found = report(failures=(Failure("f.py", 3, "broken"),))
    shown = "\n".join(grouped.render(linted(found, alone=True)))
    assert shown.count("broken") == 1


def test_names_and_messages_cannot_steer_the_terminal(linted, report, diagnosis):
    one = diagnosis(message="a\x1b[31m", path="f\x1b.py")
    for line in grouped.render(linted(report(one, path="f\x1b.py"))):
        assert line.isprintable()
