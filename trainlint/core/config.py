"""The user's settings: `[tool.trainlint]`, the command line, and which rules they turn on where."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.core.errors import UserError, nearest
from trainlint.core.patterns import Patterns
from trainlint.core.rule import Family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.rule import Rule

ALL: Final = "ALL"
FILE_NAMES: Final = ("trainlint.toml", "pyproject.toml")
_KEYS: Final = ("select", "ignore", "extend-select", "per-file-ignores", "exclude", "rules")


class ConfigError(UserError):
    """A setting cannot be used; the message says which, where and why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selectors from one place; a ``select`` of None builds upon the selection before it."""

    origin: str
    """Where the selectors stand, in the words of a message."""
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says, not yet compared with the catalogue."""

    path: Path | None = None
    selection: Selection = Selection("the defaults")
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    thresholds: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder to which the patterns of the file are relative."""
        return self.path.parent if self.path else Path.cwd()


@dataclass(frozen=True, slots=True)
class Settings:
    """Which rules run, how, and where; made by :func:`resolve`, checked against the catalogue."""

    rules: tuple[Rule, ...]
    """The rules that are on, in the order of their codes."""
    explicit: frozenset[str] = frozenset()
    """The names of those that somebody asked for: they may also give advice."""
    thresholds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The thresholds of every rule that is on, by its name."""
    folder: str = ""
    per_file_ignores: tuple[tuple[Patterns, bool, frozenset[str]], ...] = ()
    """Patterns relative to the folder, whether they must match, and the rules that are off then."""
    known: Mapping[str, str] = field(default_factory=dict)
    """The name of every rule of the catalogue by its name and by its code."""

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """Return the rules that are on for a file."""
        if not self.per_file_ignores:
            return self.rules
        relative = os.path.relpath(os.path.abspath(path), self.folder).replace(os.sep, "/")
        off: set[str] = set()
        for pattern, wanted, names in self.per_file_ignores:
            if pattern.covers(relative) is wanted:
                off |= names
        return tuple(rule for rule in self.rules if rule.name not in off)


def find_config(start: Path) -> Config:
    """Return the nearest configuration at or above a folder; an empty one if there is none."""
    start = start.absolute()
    for folder in (start, *start.parents):
        for name in FILE_NAMES:
            path = folder / name
            try:
                data = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            except OSError as error:
                raise _unreadable(path, error) from error
            if name == FILE_NAMES[0] or b"trainlint" in data:
                config = _config(path, data)
                if config is not None:
                    return config
    return Config()


def read_config(path: Path) -> Config:
    """Read the configuration file that the user names."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _config(path, data) or Config(path=path.absolute())


def _unreadable(path: Path, error: OSError) -> ConfigError:
    """Return the error of a configuration file that cannot be read."""
    return ConfigError(f"{path}: cannot be read: {error.strerror or error}")


def resolve(catalogue: Catalogue, config: Config, *selections: Selection) -> Settings:
    """Combine the defaults, a configuration and the command line, in this order."""
    on = {rule.name: False for rule in catalogue if rule.severity is not Severity.ADVICE}
    for selection in (config.selection, *selections):
        _apply(catalogue, selection, on)
    thresholds = _thresholds(catalogue, config)
    return Settings(
        rules=tuple(rule for rule in catalogue if rule.name in on),
        explicit=frozenset(name for name, explicit in on.items() if explicit),
        thresholds={name: thresholds[name] for name in on},
        folder=str(config.folder),
        per_file_ignores=tuple(
            (
                Patterns([pattern.removeprefix("!")]),
                not pattern.startswith("!"),
                frozenset(
                    rule.name
                    for selector in selectors
                    for rule in _selected(catalogue, selector, f"{config.path}: per-file-ignores")[
                        1
                    ]
                ),
            )
            for pattern, selectors in config.per_file_ignores.items()
        ),
        known={key: rule.name for rule in catalogue for key in (rule.name, rule.code)},
    )


def _apply(catalogue: Catalogue, selection: Selection, on: dict[str, bool]) -> None:
    """Turn rules on and off: the more specific selector wins, and of two equal ones `ignore`."""
    steps = [
        (*_selected(catalogue, selector, f"{selection.origin}: {key}"), turned_on, key)
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


def _selected(catalogue: Catalogue, selector: str, origin: str) -> tuple[int, list[Rule]]:
    """Return how specific a selector is (0 the least) and the rules that it names."""
    if selector == ALL:
        return 0, list(catalogue)
    if selector in set(Severity):
        return 1, [rule for rule in catalogue if rule.severity == selector]
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


def _thresholds(catalogue: Catalogue, config: Config) -> dict[str, dict[str, Any]]:
    """Return the thresholds of every rule: the defaults, and what the configuration sets."""
    thresholds = {rule.name: dict(rule.thresholds) for rule in catalogue}
    for name, given in config.thresholds.items():
        where = f"{config.path}: rules.{name}"
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
            thresholds[rule.name][parameter] = _like(default, value, f"{where}.{key}")
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
    msg = f"{where}: expects {wanted}, not `{_toml(value)}`"
    raise ConfigError(msg)


def _toml(value: object) -> str:
    """Show a value about as the file writes it."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _config(path: Path, data: bytes) -> Config | None:
    """Read the bytes of a configuration file; None for a pyproject.toml that says nothing of us."""
    import tomllib  # noqa: PLC0415 - 10 ms, and most folders have no configuration

    try:
        table: object = tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        msg = f"{path}: is not UTF-8"
        raise ConfigError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: is no valid TOML: {error}"
        raise ConfigError(msg) from error
    if path.name == "pyproject.toml":
        for key in ("tool", "trainlint"):
            table = table.get(key) if isinstance(table, dict) else None
        if table is None:
            return None
    if not isinstance(table, dict):
        msg = f"{path}: tool.trainlint: expects a table"
        raise ConfigError(msg)
    for key in table:
        if key not in _KEYS:
            msg = f"{path}: no setting is called `{key}`{nearest(key, _KEYS)}"
            raise ConfigError(msg)
    return Config(
        path=path.absolute(),
        selection=Selection(
            str(path),
            select=_texts(table["select"], f"{path}: select") if "select" in table else None,
            ignore=_texts(table.get("ignore", []), f"{path}: ignore"),
            extend_select=_texts(table.get("extend-select", []), f"{path}: extend-select"),
        ),
        per_file_ignores={
            pattern: _texts(selectors, f"{path}: per-file-ignores.{pattern}")
            for pattern, selectors in _items(table, "per-file-ignores", path)
        },
        exclude=_texts(table.get("exclude", []), f"{path}: exclude"),
        thresholds={
            name: dict(_items(table["rules"], name, path))
            for name, _ in _items(table, "rules", path)
        },
    )


def _texts(value: object, where: str) -> tuple[str, ...]:
    """Return a list of texts as a tuple."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        msg = f"{where}: expects a list of texts, not `{_toml(value)}`"
        raise ConfigError(msg)
    return tuple(value)


def _items(table: Mapping[str, Any], key: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the items of a table inside a table."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        msg = f"{path}: {key}: expects a table, not `{_toml(value)}`"
        raise ConfigError(msg)
    yield from value.items()
