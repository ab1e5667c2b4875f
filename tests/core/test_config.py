"""How selections combine, and what is a value of a threshold."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config, ConfigError, Selection, resolve
from trainlint.core.diagnosis import Diagnosis, Severity, Span
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

    @rules["two"].check
    def check_two(_, *, target_torch=None, number=3):
        return [(target_torch, number)]

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


def stacked(*places):
    """Return configurations of which each stands upon the one before it."""
    config = places[0]
    for one in places[1:]:
        config = replace(one, base=config)
    return config


def test_what_a_configuration_does_not_say_is_as_the_one_below_it_says(some):
    below = Config(
        selection=choice(select=("loss",), ignore=("two",)),
        exclude=("a",),
        extend_exclude=("b",),
        target_torch=(2, 5),
        force_exclude=True,
        thresholds={"one": {"number": 5, "word": "x"}},
        severity={"one": Severity.WARNING},
        per_file_ignores={"a.py": ("one",)},
    )
    settings = resolve(some, stacked(below, Config()))
    assert settings.thresholds == resolve(some, below).thresholds
    assert settings.rules == resolve(some, below).rules == (some.rules["one"],)
    above = Config(
        selection=choice(extend_select=("two",)),
        extend_exclude=("c",),
        thresholds={"AB301": {"word": "y"}},
        force_exclude=False,
        extend_per_file_ignores={"b.py": ("one",)},
    )
    settings = resolve(some, stacked(below, above))
    assert [rule.name for rule in settings.rules] == ["one", "two"]
    assert [one.lines for one in settings.exclusions] == [("a",), ("b",), ("c",)]
    assert (settings.target_torch, settings.force_exclude) == ((2, 5), False)
    assert (settings.thresholds["one"]["number"], settings.thresholds["one"]["word"]) == (5, "y")
    assert settings.severities == {"one": Severity.WARNING}
    assert [one.pattern for one in settings.per_file_ignores] == ["a.py", "b.py"]
    anew = Config(exclude=(), per_file_ignores={}, target_torch=(2, 6), selection=choice(select=()))
    settings = resolve(some, stacked(below, above, anew))
    assert (settings.rules, settings.target_torch) == ((), (2, 6))
    assert [one.pattern for one in settings.per_file_ignores] == ["b.py"]
    assert [one.lines for one in settings.exclusions] == [("b",), ("c",)]


def test_the_target_is_no_threshold_and_is_handed_to_those_who_ask(some):
    settings = resolve(some, Config(target_torch=(2, 5)))
    assert (settings.target_torch, settings.thresholds) == ((2, 5), {})
    assert resolve(some, Config()).target_torch is None
    assert some.rules["two"].diagnose("f", {"number": 4}, (2, 5)) == [((2, 5), 4)]
    assert some.rules["two"].diagnose("f", {}) == [(None, 3)]
    assert (some.rules["two"].asks_for_target, some.rules["one"].asks_for_target) == (True, False)
    assert dict(some.rules["two"].thresholds) == {"number": 3}
    with pytest.raises(ConfigError, match=r"has no threshold `target-torch` \(it has `number`\)"):
        resolve(some, Config(thresholds={"two": {"target-torch": "2.5"}}))


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ({"four": "warning"}, {"four": "warning"}),
        ({"CD502": "error"}, {"four": "error"}),
        ({"loss": "advice"}, {"one": "advice", "two": "advice"}),
        ({"loss": "advice", "one": "warning"}, {"one": "warning", "two": "advice"}),
        ({"one": "warning", "loss": "advice"}, {"one": "warning", "two": "advice"}),
        ({"AB3": "warning", "AB30": "error"}, {}),
        ({"error": "warning"}, {"one": "warning", "three": "warning"}),
    ],
)
def test_the_more_specific_severity_wins(some, severity, expected):
    given = {selector: Severity(one) for selector, one in severity.items()}
    assert resolve(some, Config(severity=given)).severities == expected


def test_a_severity_decides_what_is_on_and_what_a_selector_means(some):
    config = Config(severity={"four": Severity.WARNING, "one": Severity.ADVICE})
    assert [rule.name for rule in resolve(some, config).rules] == ["two", "three", "four"]
    for selector, names in (("advice", ["one"]), ("warning", ["two", "four"])):
        settings = resolve(some, config, choice(select=(selector,)))
        assert [rule.name for rule in settings.rules] == names


@pytest.mark.parametrize(
    ("own", "said", "wanted", "result"),
    [
        ("warning", "warning", "error", "error"),
        ("warning", "warning", "advice", "advice"),
        ("warning", "advice", "error", "advice"),
        ("warning", "error", "advice", "advice"),
        ("advice", "warning", "error", "warning"),
        ("warning", "error", "warning", "error"),
    ],
)
def test_a_diagnosis_that_is_milder_than_its_rule_stays_so(some, own, said, wanted, result):
    rule = next(one for one in some if one.severity == own)
    diagnosis = Diagnosis(
        rule.name, rule.code, Severity(said), "a.py", Span(1, 1, 1, 2), "Is wrong.", ""
    )
    settings = resolve(some, Config(severity={rule.name: Severity(wanted)}))
    assert settings.judged(diagnosis, rule.severity).severity == result


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
