"""Read what a configuration says: `trainlint.toml`, `pyproject.toml`, or `--config "key = value"`."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.config import Config, ConfigError, Selection, as_written
from trainlint.core.diagnosis import Severity
from trainlint.core.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE_NAMES: Final = ("trainlint.toml", "pyproject.toml")
"""In the order in which they are looked for; the first one in a folder holds."""

INLINE: Final = "--config"

_KEYS: Final = (
    "baseline",
    "exclude",
    "extend",
    "extend-exclude",
    "extend-per-file-ignores",
    "extend-select",
    "force-exclude",
    "ignore",
    "include-configs",
    "per-file-ignores",
    "rules",
    "select",
    "severity",
    "target-torch",
)
_VERSION: Final = re.compile(r"\d+(?:\.\d+){1,2}", re.ASCII)


def config_in(folder: str) -> Config | None:
    """Return the configuration that lies in a folder; None if there is none."""
    for name in FILE_NAMES:
        path = os.path.join(folder, name)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
                continue
            with open(path, "rb") as stream:
                data = stream.read()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if not os.access(folder, os.X_OK):
                return None  # a folder that lets nobody look into it says nothing
            raise _unreadable(path, error) from error
        if name == FILE_NAMES[0] or b"trainlint" in data:
            table = _table(path, data)
            if table is not None:
                return _extended(path, table)
    return None


def read_config(path: str) -> Config:
    """Read the configuration file that the user names; its patterns are relative to the current folder."""
    return _extended(path, _table(path, _read(path)) or {}, for_all=True)


def inline_config(text: str) -> Config | None:
    """Read `key = value` of a command line; None if the text is no TOML."""
    import tomllib  # noqa: PLC0415 - 10 ms, and most runs have no such setting

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    if "extend" in table:
        msg = f"{INLINE}: `extend` can stand in a file only"
        raise ConfigError(msg)
    return _config(table, INLINE)


def version(text: object, where: str) -> tuple[int, ...]:
    """Return the numbers of a version of PyTorch."""
    if not isinstance(text, str) or not _VERSION.fullmatch(text):
        msg = f"{where}: expects a version as a text, such as '2.6', not `{as_written(text)}`"
        raise ConfigError(msg)
    return tuple(int(part) for part in text.split("."))


def _extended(path: str, table: Mapping[str, Any], *, for_all: bool = False) -> Config:
    """Return the configuration of a file upon those that it extends.

    Patterns are relative to the file in which they stand; or, as in ruff, to the current folder,
    where one file is for all.
    """
    chain: dict[str, Config] = {}
    names: list[str] = []
    while True:
        # Two names of one file are one file.
        real = os.path.realpath(path)
        names.append(path)
        if real in chain:
            circle = "` extends `".join(names[list(chain).index(real) :])
            msg = f"{names[0]}: extend goes round in a circle: `{circle}`"
            raise ConfigError(msg)
        absolute = os.path.abspath(path)
        config = _config(table, path)
        chain[real] = replace(
            config, path=absolute, home=None if for_all else os.path.dirname(absolute)
        )
        if "extend" not in table:
            break
        wanted = table["extend"]
        if not isinstance(wanted, str):
            msg = f"{path}: extend: expects the path of a file, not `{as_written(wanted)}`"
            raise ConfigError(msg)
        other = os.path.expanduser(os.path.expandvars(wanted))
        other = os.path.normpath(os.path.join(os.path.dirname(path), other))
        try:
            data = _read(other)
        except ConfigError as error:
            msg = f"{path}: extend: {error}"
            raise ConfigError(msg) from error
        path, table = other, _table(other, data) or {}
    config, *above = reversed(chain.values())
    for one in above:
        config = replace(one, base=config)
    return config


def _read(path: str) -> bytes:
    """Return what a file holds that somebody names."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> ConfigError:
    """Return the error of a configuration file that cannot be read."""
    return ConfigError(f"{path}: cannot be read: {error.strerror or error}")


def _table(path: str, data: bytes) -> Mapping[str, Any] | None:
    """Return the table of a file; None for a pyproject.toml that says nothing of us."""
    import tomllib  # noqa: PLC0415 - 10 ms, and most folders have no configuration

    try:
        table: object = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        msg = f"{path}: is not UTF-8"
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{path}: is no valid TOML: {error}"
        raise ConfigError(msg) from error
    if os.path.basename(path) == "pyproject.toml":
        for key in ("tool", "trainlint"):
            table = table.get(key) if isinstance(table, dict) else None
        if table is None:
            return None
    if not isinstance(table, dict):
        msg = f"{path}: tool.trainlint: expects a table"
        raise ConfigError(msg)
    return table


def _config(table: Mapping[str, Any], origin: str) -> Config:
    """Return what a table says."""
    for key in table:
        if key not in _KEYS:
            msg = f"{origin}: no setting is called `{key}`{nearest(key, _KEYS)}"
            raise ConfigError(msg)
    baseline = table.get("baseline")
    if baseline is not None and not isinstance(baseline, str):
        msg = f"{origin}: baseline: expects the path of a file, not `{as_written(baseline)}`"
        raise ConfigError(msg)
    target = table.get("target-torch")
    return Config(
        origin=origin,
        selection=Selection(
            origin,
            select=_texts(table["select"], f"{origin}: select") if "select" in table else None,
            ignore=_texts(table.get("ignore", []), f"{origin}: ignore"),
            extend_select=_texts(table.get("extend-select", []), f"{origin}: extend-select"),
        ),
        per_file_ignores=_ignores(table, "per-file-ignores", origin)
        if "per-file-ignores" in table
        else None,
        extend_per_file_ignores=_ignores(table, "extend-per-file-ignores", origin),
        exclude=_texts(table["exclude"], f"{origin}: exclude") if "exclude" in table else None,
        extend_exclude=_texts(table.get("extend-exclude", []), f"{origin}: extend-exclude"),
        force_exclude=_truth(table, "force-exclude", origin),
        include_configs=_truth(table, "include-configs", origin),
        baseline=baseline,
        target_torch=None if target is None else version(target, f"{origin}: target-torch"),
        severity={
            selector: _severity(value, f"{origin}: severity.{selector}")
            for selector, value in _items(table.get("severity", {}), f"{origin}: severity")
        },
        thresholds={
            name: dict(_items(value, f"{origin}: rules.{name}"))
            for name, value in _items(table.get("rules", {}), f"{origin}: rules")
        },
    )


def _truth(table: Mapping[str, Any], key: str, origin: str) -> bool | None:
    """Return what is said with true or false; None where nothing is."""
    value = table.get(key)
    if value is not None and not isinstance(value, bool):
        msg = f"{origin}: {key}: expects true or false, not `{as_written(value)}`"
        raise ConfigError(msg)
    return value


def _severity(value: object, where: str) -> Severity:
    """Return the severity that a text names."""
    if not isinstance(value, str) or value not in set(Severity):
        known = "`, `".join(Severity)
        hint = nearest(value, Severity) if isinstance(value, str) else ""
        msg = f"{where}: expects one of `{known}`, not `{as_written(value)}`{hint}"
        raise ConfigError(msg)
    return Severity(value)


def _ignores(table: Mapping[str, Any], key: str, origin: str) -> dict[str, tuple[str, ...]]:
    """Return patterns of files with the selectors of the rules that are off there."""
    return {
        pattern: _texts(selectors, f"{origin}: {key}.{pattern}")
        for pattern, selectors in _items(table.get(key, {}), f"{origin}: {key}")
    }


def _texts(value: object, where: str) -> tuple[str, ...]:
    """Return a list of texts as a tuple."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        msg = f"{where}: expects a list of texts, not `{as_written(value)}`"
        raise ConfigError(msg)
    return tuple(value)


def _items(value: object, where: str) -> Iterator[tuple[str, Any]]:
    """Yield the items of a table."""
    if not isinstance(value, dict):
        msg = f"{where}: expects a table, not `{as_written(value)}`"
        raise ConfigError(msg)
    yield from value.items()
