"""How selections combine, and what is a value of a threshold."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config, ConfigError, Selection, find_config, resolve
from trainlint.core.diagnosis import Severity
from trainlint.core.errors import nearest
from trainlint.core.rule import Rule


@pytest.fixture(scope="module")
def some():
    """Return a catalogue of four rules, of which one is advice."""
    rules = {}
    for family, name, code, severity in (
        ("loss", "one", "AB301", Severity.ERROR),
        ("loss", "two", "AB312", Severity.WARNING),
        ("loop", "three", "AB501", Severity.ERROR),
        ("loop", "four", "CD502", Severity.ADVICE),
    ):
        module = f"rules_of_test_config.{family}.{name}"
        sys.modules[module] = ModuleType(module)
        rules[name] = Rule(module, code, severity)

    @rules["one"].check
    def check(_, *, flag=True, number=3, part=0.5, word="a", words=("a",), numbers=frozenset({1})):
        raise NotImplementedError

    return Catalogue(rules)


def on(catalogue, *selections):
    """Return the names of the rules that are on."""
    return [rule.name for rule in resolve(catalogue, Config(), *selections).rules]


def choice(select=None, ignore=(), extend_select=()):
    """Return a selection."""
    return Selection("a test", select, ignore, extend_select)


def test_errors_and_warnings_are_on_by_default_and_nobody_asked_for_them(some):
    assert on(some) == ["one", "two", "three"]
    assert resolve(some, Config()).explicit == frozenset()


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (choice(select=("ALL",)), ["one", "two", "three", "four"]),
        (choice(select=("AB3",)), ["one", "two"]),
        (choice(select=("ab3",)), ["one", "two"]),
        (choice(select=("AB", "advice")), ["one", "two", "three", "four"]),
        (choice(select=()), []),
        (choice(select=("AB3",), ignore=("AB31",)), ["one"]),
        (choice(select=("AB31",), ignore=("AB3",)), ["two"]),
        (choice(select=("two",), ignore=("loss",)), ["two"]),
        (choice(select=("loss",), ignore=("loss",)), []),
        (choice(select=("ALL",), ignore=("error",)), ["two", "four"]),
        (choice(select=("one",), ignore=("ALL",)), ["one"]),
        (choice(extend_select=("four",)), ["one", "two", "three", "four"]),
        (choice(ignore=("AB3",), extend_select=("one",)), ["one", "three"]),
    ],
)
def test_the_more_specific_selector_wins_and_of_two_equal_ones_ignore(some, selection, names):
    assert on(some, selection) == names


def test_a_later_selection_starts_anew_only_where_it_selects(some):
    first = choice(select=("loss",))
    assert on(some, first, choice(extend_select=("three",))) == ["one", "two", "three"]
    assert on(some, first, choice(ignore=("one",))) == ["two"]
    assert on(some, choice(ignore=("one",)), choice(select=("loss",))) == ["one", "two"]


@pytest.mark.parametrize("selector", ["A", "ABC", "AB9", "B3", "3", "On", "", "AB3012", "error1"])
def test_what_is_no_group_of_rules_is_refused(some, selector):
    with pytest.raises(ConfigError, match="no rule or group of rules is called"):
        on(some, choice(select=(selector,)))


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("flag", False, False),
        ("number", 5, 5),
        ("part", 2, 2.0),
        ("part", 2.5, 2.5),
        ("word", "b", "b"),
        ("words", ["b", "c"], ("b", "c")),
        ("words", [], ()),
        ("numbers", [1, 2], frozenset({1, 2})),
    ],
)
def test_a_threshold_takes_a_value_of_its_type(some, name, value, result):
    settings = resolve(some, Config(thresholds={"one": {name: value}}))
    assert settings.thresholds["one"][name] == result
    assert type(settings.thresholds["one"][name]) is type(result)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("flag", 1, "true or false"),
        ("number", True, "an integer"),
        ("number", 1.0, "an integer"),
        ("number", "1", "an integer"),
        ("part", "1", "a number"),
        ("part", True, "a number"),
        ("word", 1, "a text"),
        ("words", "a", "a list"),
        ("words", [1], "a text"),
        ("numbers", ["a"], "an integer"),
        ("numbers", {"a": 1}, "a list"),
    ],
)
def test_a_threshold_refuses_a_value_of_another_type(some, name, value, wanted):
    with pytest.raises(ConfigError, match=f"rules.one.{name}: expects {wanted}, not"):
        resolve(some, Config(thresholds={"one": {name: value}}))


def test_thresholds_of_a_rule_that_is_off_are_checked_too(some):
    config = Config(selection=choice(select=("two",)), thresholds={"one": {"nmber": 1}})
    with pytest.raises(ConfigError, match=r"has no threshold `nmber`.*did you mean `number`"):
        resolve(some, config)


def test_there_may_be_no_configuration(tmp_path):
    # A file that is in nobody's home: whatever lies above the folder of the test has none.
    assert find_config(tmp_path).path is None
    assert find_config(tmp_path / "no" / "such" / "folder").path is None


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("missing-zerograd", "; did you mean `missing-zero-grad`?"),
        ("TL3O1", "; did you mean `TL301`?"),
        ("tl301", "; did you mean `TL301`?"),
        ("qqqqqq", ""),
    ],
)
def test_the_nearest_known_name_is_asked_for(word, hint):
    assert nearest(word, ["missing-zero-grad", "TL301"]) == hint
