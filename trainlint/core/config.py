"""The user's settings: what configurations and the command line say, which rules that turns on where."""

from __future__ import annotations

import os
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.errors import UserError, nearest
from trainlint.core.immutable import immutable
from trainlint.core.patterns import Patterns
from trainlint.core.rule import Family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.rule import Rule

ALL: Final = "ALL"

EXCLUDED: Final = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".git-rewrite",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pants.d",
        ".pyenv",
        ".pytest_cache",
        ".pytype",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".trainlint_cache",
        ".venv",
        ".vscode",
        "__pycache__",
        "__pypackages__",
        "_build",
        "buck-out",
        "build",
        "dist",
        "node_modules",
        "site-packages",
        "venv",
    }
)
"""Folders that hold no code of the user: the names that ruff leaves out, `__pycache__` and our own."""

_USUAL: Final = tuple(f"{name}/" for name in sorted(EXCLUDED))
_MILDEST_FIRST: Final = tuple(reversed(Severity))


class ConfigError(UserError):
    """A setting cannot be used; the message says which, where and why."""


@immutable
class Selection:
    """Selectors from one place; a ``select`` of None builds upon the selection before it."""

    origin: str
    """Where the selectors stand, in the words of a message."""
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()


@immutable
class Config:
    """What one place says (a file, the command line), not yet compared with the catalogue.

    It stands upon ``base``, another place that holds where this one says nothing.
    """

    path: str | None = None
    """The absolute path of the file, where it is one."""
    origin: str = "the defaults"
    """The place, in the words of a message."""
    home: str | None = None
    """The absolute path of the folder to which the patterns are relative; None for the current one."""
    base: Config | None = None
    selection: Selection = Selection("the defaults")
    per_file_ignores: Mapping[str, tuple[str, ...]] | None = None
    extend_per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool | None = None
    include_configs: bool | None = None
    baseline: str | None = None
    """A path, relative to the folder of the file; empty for none."""
    target_torch: tuple[int, ...] | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    thresholds: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The absolute path of the folder to which the patterns are relative."""
        return os.path.abspath(self.home or os.curdir)

    @property
    def baseline_path(self) -> str:
        """The absolute path of the baseline, empty for none."""
        if not self.baseline:
            return ""
        path = os.path.expanduser(os.path.expandvars(self.baseline))
        return os.path.abspath(os.path.join(os.path.dirname(self.path or ""), path))

    @property
    def places(self) -> tuple[Config, ...]:
        """The place itself and those that it stands upon, the one that counts least first."""
        found = [self]
        while found[-1].base is not None:
            found.append(found[-1].base)
        return tuple(reversed(found))

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read, the one that counts most first."""
        return tuple(one.path for one in reversed(self.places) if one.path is not None)


class Exclusion(NamedTuple):
    """Patterns of what is not linted, and the absolute path of the folder that they are relative to."""

    patterns: Patterns
    folder: str
    lines: tuple[str, ...]
    """The patterns as they are written."""
    key: str = "exclude"
    """The setting that says so."""


class PerFileIgnore(NamedTuple):
    """Rules that are off in the files that a pattern matches, or does not match."""

    pattern: str
    """As it is written, with a ``!`` in front where the files are meant that it does not match."""
    folder: str
    names: frozenset[str]
    patterns: Patterns

    def covers(self, path: str) -> bool:
        """Say whether an absolute path is meant."""
        relative = os.path.relpath(path, self.folder).replace(os.sep, "/")
        return self.patterns.covers(relative) is not self.pattern.startswith("!")


@immutable
class Settings:
    """Which rules run, how, and where; made by :func:`resolve`, checked against the catalogue.

    Files in different folders may have different configurations: those of one file are
    ``settings.of(path)``.
    """

    rules: tuple[Rule, ...]
    """The rules that are on, in the order of their codes."""
    explicit: frozenset[str] = frozenset()
    """The names of those that somebody asked for: they may also give advice."""
    thresholds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The thresholds that are set, by the name of the rule."""
    per_file_ignores: tuple[PerFileIgnore, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    """The name of every rule of the catalogue by its name and by its code."""
    severities: Mapping[str, Severity] = field(default_factory=dict)
    """The severities that differ from those of the catalogue, by the name of the rule."""
    target_torch: tuple[int, ...] | None = None
    """The oldest PyTorch that the code is for."""
    exclusions: tuple[Exclusion, ...] = ()
    """What is not linted; of those that speak of a path the last one decides."""
    force_exclude: bool = False
    """Whether that holds for what the user names, too."""
    include_configs: bool = False
    """Whether configurations of training in folders are linted, too."""
    baseline: str = ""
    """The absolute path of the baseline of the files, empty for none."""
    folder: str = ""
    """The absolute path of the folder whose files these settings are for."""
    nested: Mapping[str, Settings] = field(default_factory=dict)
    """The settings of the folders that have others than these, by their absolute paths."""

    def of(self, path: str) -> Settings:
        """Return the settings of a file."""
        if not self.nested:
            return self
        return self.nested.get(os.path.dirname(os.path.abspath(path)), self)

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """Return the rules that are on for a file."""
        if not self.per_file_ignores:
            return self.rules
        absolute = os.path.abspath(path)
        off = {name for one in self.per_file_ignores if one.covers(absolute) for name in one.names}
        return tuple(rule for rule in self.rules if rule.name not in off)

    def severity_of(self, rule: Rule) -> Severity:
        """Return the severity of a rule."""
        return self.severities.get(rule.name, rule.severity)

    def judged(self, diagnosis: Diagnosis, rule: Severity) -> Diagnosis:
        """Return a diagnosis with the severity that these settings give it.

        ``rule`` is the severity that its rule has of itself; what is milder than that stays so.
        """
        wanted = self.severities.get(diagnosis.rule)
        if wanted is None or wanted is diagnosis.severity:
            return diagnosis
        if diagnosis.severity is not rule:
            wanted = min(wanted, diagnosis.severity, key=_MILDEST_FIRST.index)
        return replace(diagnosis, severity=wanted)


def resolve(catalogue: Catalogue, config: Config, *selections: Selection) -> Settings:
    """Combine the defaults, a configuration with those it stands upon, and selections, in this order."""
    places = config.places
    severities = _severities(catalogue, places)
    on = {
        rule.name: False
        for rule in catalogue
        if severities.get(rule.name, rule.severity) is not Severity.ADVICE
    }
    for selection in (*(place.selection for place in places), *selections):
        _apply(catalogue, selection, on, severities)
    thresholds = _thresholds(catalogue, places)
    target = next((one.target_torch for one in reversed(places) if one.target_torch), None)
    known = next((one for one in reversed(places) if one.baseline is not None), config)
    configs = (one.include_configs for one in reversed(places) if one.include_configs is not None)
    forced = (one.force_exclude for one in reversed(places) if one.force_exclude is not None)
    return Settings(
        rules=tuple(rule for rule in catalogue if rule.name in on),
        explicit=frozenset(name for name, explicit in on.items() if explicit),
        thresholds={name: given for name, given in thresholds.items() if name in on},
        per_file_ignores=tuple(_per_file_ignores(catalogue, places, severities)),
        known={key: rule.name for rule in catalogue for key in (rule.name, rule.code)},
        severities=severities,
        target_torch=target,
        exclusions=tuple(_exclusions(places)),
        force_exclude=next(forced, False),
        include_configs=next(configs, False),
        baseline=known.baseline_path,
        folder=next((one.folder for one in reversed(places) if one.path), os.path.abspath("")),
    )


def _severities(catalogue: Catalogue, places: tuple[Config, ...]) -> dict[str, Severity]:
    """Return the severities that are given to rules: the more specific selector wins."""
    found: dict[str, Severity] = {}
    for place in places:
        steps = [
            (*_selected(catalogue, selector, f"{place.origin}: severity", {}), severity)
            for selector, severity in place.severity.items()
        ]
        for _, rules, severity in sorted(steps, key=lambda step: step[0]):
            found.update(dict.fromkeys((rule.name for rule in rules), severity))
    own = {rule.name: rule.severity for rule in catalogue}
    return {name: severity for name, severity in found.items() if severity is not own[name]}


def _apply(
    catalogue: Catalogue,
    selection: Selection,
    on: dict[str, bool],
    severities: Mapping[str, Severity],
) -> None:
    """Turn rules on and off: the more specific selector wins, and of two equal ones `ignore`."""
    steps = [
        (*_selected(catalogue, selector, f"{selection.origin}: {key}", severities), turned_on, key)
        for key, turned_on, selectors in (
            ("select", True, selection.select or ()),
            ("extend-select", True, selection.extend_select),
            ("ignore", False, selection.ignore),
        )
        for selector in selectors
    ]
    verdicts: dict[str, bool] = {}
    for _, rules, turned_on, _ in sorted(steps, key=lambda step: (step[0], not step[2])):
        verdicts.update(dict.fromkeys((rule.name for rule in rules), turned_on))
    if selection.select is not None:
        on.clear()
    for name, turned_on in verdicts.items():
        if turned_on:
            on[name] = True
        else:
            on.pop(name, None)


def _selected(
    catalogue: Catalogue, selector: str, origin: str, severities: Mapping[str, Severity]
) -> tuple[int, list[Rule]]:
    """Return how specific a selector is (0 the least) and the rules that it names."""
    if selector == ALL:
        return 0, list(catalogue)
    if selector in set(Severity):
        severity = Severity(selector)
        own = (severities.get(rule.name, rule.severity) for rule in catalogue)
        return 1, [rule for rule, one in zip(catalogue, own, strict=True) if one is severity]
    if selector in set(Family):
        return 3, [rule for rule in catalogue if rule.family == selector]
    if rule := catalogue.find(selector):
        return 9, [rule]
    prefix = selector.upper()
    letters = prefix.rstrip("0123456789")
    rules = [rule for rule in catalogue if letters and rule.code.startswith(prefix)]
    if rules and letters == rules[0].code.rstrip("0123456789"):
        return 2 + len(prefix) - len(letters), rules
    known = (ALL, *Severity, *Family, *(key for one in catalogue for key in (one.name, one.code)))
    msg = f"{origin}: no rule or group of rules is called `{selector}`{nearest(selector, known)}"
    raise ConfigError(msg)


def _per_file_ignores(
    catalogue: Catalogue, places: tuple[Config, ...], severities: Mapping[str, Severity]
) -> Iterator[PerFileIgnore]:
    """Yield the rules that are off in some files: the last place that says so, and all that add."""
    last = next((one for one in reversed(places) if one.per_file_ignores is not None), None)
    for place in places:
        for key, given in (
            ("per-file-ignores", place.per_file_ignores),
            ("extend-per-file-ignores", place.extend_per_file_ignores),
        ):
            for pattern, selectors in (given or {}).items():
                names = frozenset(
                    rule.name
                    for selector in selectors
                    for rule in _selected(
                        catalogue, selector, f"{place.origin}: {key}", severities
                    )[1]
                )
                if place is last or key != "per-file-ignores":
                    patterns = Patterns([pattern.removeprefix("!")])
                    yield PerFileIgnore(pattern, place.folder, names, patterns)


def _exclusions(places: tuple[Config, ...]) -> Iterator[Exclusion]:
    """Yield what is not linted: the last place that says what is left out, and all that add to it."""
    last = next((one for one in reversed(places) if one.exclude is not None), None)
    if last is None:
        yield Exclusion(Patterns(_USUAL), os.path.abspath(os.sep), _USUAL)
    elif last.exclude:
        yield Exclusion(Patterns(last.exclude), last.folder, last.exclude)
    for place in places:
        if place.extend_exclude:
            patterns = Patterns(place.extend_exclude)
            yield Exclusion(patterns, place.folder, place.extend_exclude, "extend-exclude")


def _thresholds(catalogue: Catalogue, places: tuple[Config, ...]) -> dict[str, dict[str, Any]]:
    """Return the thresholds that the places set, by the name of the rule."""
    thresholds: dict[str, dict[str, Any]] = {}
    for place in places:
        for name, given in place.thresholds.items():
            where = f"{place.origin}: rules.{name}"
            rule = catalogue.find(name)
            if rule is None:
                msg = f"{where}: no rule is called `{name}`{nearest(name, catalogue.rules)}"
                raise ConfigError(msg)
            for key, value in given.items():
                parameter = key.replace("-", "_")
                if parameter not in rule.thresholds:
                    known = [one.replace("_", "-") for one in rule.thresholds]
                    has = f"it has `{'`, `'.join(known)}`" if known else "it has none"
                    msg = f"{where}: the rule has no threshold `{key}` ({has}){nearest(key, known)}"
                    raise ConfigError(msg)
                default = rule.thresholds[parameter]
                own = thresholds.setdefault(rule.name, {})
                own[parameter] = _like(default, value, f"{where}.{key}")
    return thresholds


def _like(default: object, value: object, where: str) -> object:
    """Return a value as the type of the default that it replaces."""
    match default, value:
        case bool(), bool():
            return value
        case (bool(), _) | (_, bool()):
            pass
        case (int(), int()) | (float(), float()) | (str(), str()):
            return value
        case float(), int():
            return float(value)
        case ((tuple() | frozenset()), list()):
            members = list(default)
            if members:
                value = [_like(members[0], one, where) for one in value]
            return type(default)(value)
    names = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}
    wanted = names.get(type(default), "a list")
    msg = f"{where}: expects {wanted}, not `{as_written(value)}`"
    raise ConfigError(msg)


def as_written(value: object) -> str:
    """Show a value about as a file writes it."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
