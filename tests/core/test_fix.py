"""Fixes are made whole or not at all."""

from __future__ import annotations

import pytest

from trainlint.core.fix import Edit, Fix, Safety, apply_fixes

TEXT = "abcdefgh"


def fix(*edits: tuple[int, int, str]) -> Fix:
    """Return a fix of these edits."""
    return Fix("mend", Safety.SAFE, tuple(Edit(*edit) for edit in edits))


@pytest.mark.parametrize(
    ("fixes", "text"),
    [
        ([], TEXT),
        ([fix()], TEXT),
        ([fix((0, 1, "X"))], "Xbcdefgh"),
        ([fix((0, 0, "X"))], "Xabcdefgh"),
        ([fix((8, 8, "X"))], "abcdefghX"),
        ([fix((2, 5, ""))], "abfgh"),
        ([fix((6, 8, "long text"), (0, 2, ""))], "cdeflong text"),
        ([fix((4, 6, "Y")), fix((0, 2, "X"))], "XcdYgh"),
        ([fix((0, 2, "X")), fix((2, 4, "Y"))], "XYefgh"),
        ([fix((2, 2, "X")), fix((0, 2, "Y"))], "YXcdefgh"),
        ([fix((0, 2, "X"), (4, 4, "Y")), fix((4, 4, "Y"), (6, 7, ""))], "XcdYefh"),
        ([fix((0, 1, "X"), (0, 1, "X"))], "Xbcdefgh"),
    ],
)
def test_fixes_that_do_not_meet_are_made(fixes, text):
    assert apply_fixes(TEXT, fixes) == (text, [])


@pytest.mark.parametrize(
    "other",
    [
        fix((1, 3, "Y")),
        fix((3, 5, "Y")),
        fix((2, 4, "Y")),
        fix((3, 3, "Y")),
        fix((0, 8, "Y")),
        fix((6, 7, "Y"), (3, 4, "Y")),
    ],
)
def test_of_two_fixes_that_overlap_the_later_is_refused_whole(other):
    one = fix((2, 4, "X"))
    first = min(edit.start for edit in other.edits) < 2
    kept, refused = (other, one) if first else (one, other)
    alone, _ = apply_fixes(TEXT, [kept])
    assert apply_fixes(TEXT, [one, other]) == (alone, [refused])


def test_two_different_insertions_at_one_place_are_not_both_made():
    one, other = fix((3, 3, "X")), fix((3, 3, "Y"))
    assert apply_fixes(TEXT, [one, other]) == ("abcXdefgh", [other])


def test_a_fix_that_overlaps_itself_is_refused():
    broken = fix((0, 3, "X"), (2, 4, "Y"))
    assert apply_fixes(TEXT, [broken]) == (TEXT, [broken])
