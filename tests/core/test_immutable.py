"""An immutable class is to its user what a frozen dataclass is."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import pytest

from trainlint.core.immutable import immutable


@immutable
class Point:
    """A point."""

    x: int
    names: tuple[str, ...] = ()


@immutable
class Place(Point):
    """A point with a height."""

    z: float = 0.5


@immutable
class Same(Point):
    """A point of another class."""


@dataclass(frozen=True)
class Usual:
    """What a value of one field is compared with."""

    x: int


def test_values_of_one_class_with_equal_fields_are_equal():
    assert Point(1) == Point(1)
    assert hash(Point(1, ("a",))) == hash(Point(1, ("a",)))
    assert Point(1) != Point(2)
    assert Point(1) != Same(1)
    assert Point(1).__eq__((1, ())) is NotImplemented
    assert len({Place(1), Place(1), Place(1, z=2.0)}) == 2


def test_a_value_is_made_shown_and_replaced_as_a_dataclass_is():
    place = Place(3, z=1.5)
    assert (place.x, place.names, place.z) == (3, (), 1.5)
    assert repr(place) == "Place(x=3, names=(), z=1.5)"
    assert replace(place, x=4) == Place(4, (), 1.5)
    assert copy.deepcopy(place) == place
    match place:
        case Place(x, _, z):
            assert (x, z) == (3, 1.5)
    with pytest.raises(TypeError, match="missing 1 required"):
        Point()  # type: ignore[call-arg]


def test_a_value_of_one_field_is_hashed_as_that_field_alone_may_be():
    @immutable
    class One:
        """One field."""

        x: object

    assert One(1) == One(1)
    assert One(1).__eq__(Usual(1)) is NotImplemented
    assert hash(One(1)) == hash(One(1))
    with pytest.raises(TypeError, match="unhashable"):
        hash(One([]))
