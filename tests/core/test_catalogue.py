"""The catalogue finds rules by walking, and says in one line what it cannot use."""

from __future__ import annotations

import sys
from itertools import count
from textwrap import dedent

import pytest

from trainlint.core.catalogue import CatalogueError, load_catalogue, page_path

NUMBERS = count()
RULE = '''
    """A rule for a test."""

    from trainlint.core.diagnosis import Severity
    from trainlint.core.rule import Rule

    rule = Rule(__name__, "{code}", Severity.ERROR)
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package of rules from the texts of its files."""
    name = f"rules_of_a_test_{next(NUMBERS)}"
    monkeypatch.syspath_prepend(tmp_path)

    def make(**files):
        top = tmp_path / name
        for path, text in {"__init__": "", **files}.items():
            file = top / f"{path.replace('__in__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text))
        return name

    yield make
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


def refusal(*packages):
    """Return why the packages are refused."""
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(packages)
    return str(raised.value)


def test_rules_are_found_by_walking_and_given_in_the_order_of_their_codes(package):
    name = package(
        loss__in__zeta=RULE.format(code="XX301"),
        init__in__alpha=RULE.format(code="XX302"),
        nofamily__in__other="not Python",
        top="not Python",
    )
    catalogue = load_catalogue((name,))
    assert [rule.name for rule in catalogue] == ["zeta", "alpha"]
    assert len(catalogue) == 2


def test_a_rule_is_found_by_its_name_or_its_code(package):
    catalogue = load_catalogue((package(loss__in__the_name=RULE.format(code="XX301")),))
    rule = catalogue.rules["the-name"]
    assert catalogue.find("the-name") is rule
    assert catalogue.find("XX301") is rule
    assert catalogue.find("xx301") is rule
    for unknown in ("the_name", "The-Name", "XX3", "", "301"):
        assert catalogue.find(unknown) is None


def test_two_rules_of_one_name_are_refused(package):
    name = package(
        loss__in__same=RULE.format(code="XX301"), init__in__same=RULE.format(code="XX302")
    )
    assert refusal(name) == f"two rules are called same; one of them is in {name}.loss.same"


def test_two_rules_of_one_code_are_refused(package):
    rule = RULE.format(code="XX301")
    name = package(loss__in__one=rule, loss__in__two=rule)
    assert refusal(name) == f"two rules are called XX301; one of them is in {name}.loss.two"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no attribute 'rule'"),
        ("rule = 1", "rule is not a Rule"),
        ("def f(:", "SyntaxError"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (RULE.format(code="lower1"), "`lower1` is no code"),
        ("from trainlint.core.rule import Rule\nrule = Rule()", "TypeError"),
    ],
)
def test_a_module_that_makes_no_rule_is_refused_with_its_name(package, text, reason):
    name = package(loss__in__broken=text)
    said = refusal(name)
    assert f"{name}.loss.broken" in said
    assert reason in said


def test_a_package_that_is_none_is_refused_with_its_name(package, tmp_path):
    assert "no_such_package cannot be imported" in refusal("no_such_package")
    assert refusal(package(__init__="1 / 0")).endswith("cannot be imported: division by zero")
    (tmp_path / "a_module_of_a_test.py").write_text("")
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "not_ours.py").write_text("1 / 0")
    reason = "a_module_of_a_test is no package with an __init__.py"
    assert refusal("a_module_of_a_test") == reason


def test_a_page_lies_beside_its_rule_in_a_package_of_others(package, tmp_path):
    name = package(loss__in__the_name=RULE.format(code="XX301"))
    (rule,) = load_catalogue((name,))
    assert page_path(rule) is None
    page = tmp_path / name / "loss" / "the-name.md"
    page.write_text("# XX301 the-name\n")
    assert page_path(rule) == page


def test_every_threshold_of_our_rules_can_be_configured(catalogue):
    for rule in catalogue:
        for name, default in rule.thresholds.items():
            assert isinstance(default, (bool, int, float, str, tuple, frozenset)), (rule, name)
