"""A fingerprint stays where lines move, and changes where the code does."""

from __future__ import annotations

import pytest

from trainlint.output.fingerprint import fingerprinted, of_failure

LOOP = """\
def train(net, optimizer, loader, loss):
    for inputs, targets in loader:
        loss(net(inputs), targets).backward()
        optimizer.step()
"""


@pytest.fixture
def prints(lint):
    """Return a function that gives the fingerprints of a file."""

    def of(text, path="train.py", rules="TL501"):
        (report,) = lint(rules, {path: text}).reports
        return [print_ for _, print_ in fingerprinted(report, path)]

    return of


IMPORT = "import torch\n\n\n"


def test_lines_that_move_keep_their_fingerprint(prints):
    (one,) = prints(IMPORT + LOOP)
    assert prints(IMPORT + "# a comment\n\n\nx = 1\n\n\n" + LOOP + "\n\ny = 2\n") == [one]
    assert prints(IMPORT + "if True:\n" + "".join(f"    {x}\n" for x in LOOP.splitlines())) == [one]
    assert prints(IMPORT + LOOP.replace("optimizer.step()", "optimizer . step( )")) == [one]
    assert len(one) == 32
    assert int(one, 16) >= 0


def test_another_code_file_or_rule_is_another_fingerprint(prints, twice):
    (one,) = prints(IMPORT + LOOP)
    (renamed,) = prints(IMPORT + LOOP.replace("optimizer", "adam_optimizer"))
    (moved,) = prints(IMPORT + LOOP, path="other.py")
    (other,) = prints(twice, rules="TL301")
    assert len({one, renamed, moved, other}) == 4


def test_equal_code_in_one_file_is_told_apart_by_its_order(prints):
    again = LOOP.replace("def train", "def train_again")
    first, second = prints(IMPORT + LOOP + "\n\n" + again)
    assert first != second
    assert prints(IMPORT + LOOP) == [first]


def test_a_diagnosis_nearby_changes_no_fingerprint(prints, lint, twice):
    # The lines that a report keeps are those around all its diagnoses.
    (alone,) = prints(twice, rules="TL301")
    text = twice + "\n\n" + LOOP
    (report,) = lint("TL301,TL501", {"train.py": text}).reports
    both = {one.code: print_ for one, print_ in fingerprinted(report, "train.py")}
    assert both["TL301"] == alone


def test_a_failure_is_known_by_its_reason_not_its_line():
    assert of_failure("a.py", "syntax error") == of_failure("a.py", "syntax error")
    assert of_failure("a.py", "syntax error") != of_failure("b.py", "syntax error")
    assert of_failure("\udcff.py", "gone")
