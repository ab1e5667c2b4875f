"""The catalogue: which rules there are, and the page of each."""

from __future__ import annotations

import importlib
import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from trainlint.core.errors import UserError
from trainlint.core.rule import Family, Rule
from trainlint.core.written_rule import written_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

OUR_RULES = "trainlint.rules"
ENTRY_POINT_GROUP = "trainlint.rules"


class CatalogueError(UserError):
    """A package of rules cannot be used; the message says which and why."""


class Catalogue:
    """Rules by name; a rule is found by its name or its code, whatever the case of the code."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.rules = rules
        self._codes = {rule.code: rule for rule in rules.values()}

    def __iter__(self) -> Iterator[Rule]:
        """Yield the rules in the order of their codes."""
        return iter(sorted(self.rules.values(), key=lambda rule: rule.code))

    def __len__(self) -> int:
        """Count the rules."""
        return len(self.rules)

    def find(self, name_or_code: str) -> Rule | None:
        """Return the rule of that name or code, or None."""
        return self.rules.get(name_or_code) or self._codes.get(name_or_code.upper())


def load_catalogue(packages: tuple[str, ...] | None = None) -> Catalogue:
    """Return the rules of our own package and of those that others have registered.

    Ours are known by the text of their modules; what others write is imported.
    """
    rules: dict[str, Rule] = {}
    codes: dict[str, str] = {}
    for package in packages or rule_packages():
        for module, rule in _own_rules() if package == OUR_RULES else _rules_of(package):
            for taken, key in ((rules, rule.name), (codes, rule.code)):
                if key in taken:
                    msg = f"two rules are called {key}; one of them is in {module}"
                    raise CatalogueError(msg)
            rules[rule.name] = rule
            codes[rule.code] = module
    return Catalogue(rules)


def page_path(rule: Rule) -> Path | None:
    """Return where the page of a rule lies: in the wheel, in the checkout or beside its module."""
    from pathlib import Path  # noqa: PLC0415 - 3 ms, and linting asks for no page

    top = Path(folder_of(rule.package.partition(".")[0]))
    name = f"{rule.family}/{rule.name}.md"
    beside = Path(folder_of(rule.package))
    for candidate in (top / "_pages" / name, top.parent / "rules" / name, beside / name):
        if candidate.is_file():
            return candidate
    return None


@cache
def folder_of(package: str) -> str:
    """Return the path of the folder of an imported package."""
    module = importlib.import_module(package)
    if module.__file__ is None or not hasattr(module, "__path__"):
        msg = f"{package} is no package with an __init__.py"
        raise CatalogueError(msg)
    return os.path.dirname(module.__file__)


@cache
def _own_rules() -> tuple[tuple[str, Rule], ...]:
    """Return our own modules and their rules, which are read once: they do not change meanwhile."""
    return tuple(
        (module, written_rule(module, _read(path)) or _load_rule(module))
        for module, path in _rule_modules(OUR_RULES)
    )


def _rules_of(package: str) -> Iterator[tuple[str, Rule]]:
    """Yield the modules of a package of others and their rules."""
    for module, _ in _rule_modules(package):
        yield module, _load_rule(module)


def _load_rule(module: str) -> Rule:
    """Import a rule module and return its rule."""
    try:
        rule = importlib.import_module(module).rule
    except Exception as error:  # a module of others may raise anything
        msg = f"the rule module {module} cannot be used: {type(error).__name__}: {error}"
        raise CatalogueError(msg) from error
    if not isinstance(rule, Rule):
        msg = f"{module}.rule is not a Rule"
        raise CatalogueError(msg)
    return rule


def _read(path: str) -> str:
    """Return the text of a module."""
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def _rule_modules(package: str) -> Iterator[tuple[str, str]]:
    """Yield the rule modules of a package and their paths: one folder per family, one file per rule."""
    try:
        folder = folder_of(package)
    except CatalogueError:
        raise
    except Exception as error:  # a package of others may raise anything
        msg = f"the package of rules {package} cannot be imported: {error}"
        raise CatalogueError(msg) from error
    families = set(Family)
    for family in sorted(os.listdir(folder)):
        inside = os.path.join(folder, family)
        if family in families and os.path.isdir(inside):
            for file in sorted(os.listdir(inside)):
                if file.endswith(".py") and file != "__init__.py":
                    yield f"{package}.{family}.{file[:-3]}", os.path.join(inside, file)


def rule_packages() -> tuple[str, ...]:
    """Return the packages in which rules are found: our own and those that others have registered."""
    return (OUR_RULES, *_registered_packages())


def _registered_packages() -> list[str]:
    """Return the packages that installed distributions register as rules.

    Reading every distribution's metadata costs more than linting a file, so it is done only where a
    plain look at the files says that there is a registration to find.
    """
    if not any(_registers_rules(entry) for entry in sys.path if entry):
        return []
    from importlib.metadata import entry_points  # noqa: PLC0415 - 30 ms, seldom needed

    return sorted(entry.value for entry in entry_points(group=ENTRY_POINT_GROUP))


def _registers_rules(folder: str) -> bool:
    """Say whether a distribution installed in the folder may register rules."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as stream:
                    text = stream.read()
            except OSError:
                continue
            if f"[{ENTRY_POINT_GROUP}]".encode() in text:
                return True
    return False
