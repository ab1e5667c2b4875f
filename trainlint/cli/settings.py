"""The options by which commands choose rules, files and configurations, and what comes of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from trainlint.core.config import Config, Selection
from trainlint.core.config_file import INLINE, inline_config, read_config, version
from trainlint.core.errors import UserError
from trainlint.core.hierarchy import Hierarchy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trainlint.core.catalogue import Catalogue

_COMMAND_LINE = "command line"


def _split(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Split comma lists; None where the option was not given."""
    if not values:
        return None
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def _names(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Split comma lists, of which none may be empty; None where the option was not given."""
    names = _split(context, parameter, values)
    if names is not None and not names:
        # An empty variable of a script must not turn every rule off.
        msg = f"{parameter.opts[0]}: expects at least one rule or group of rules"
        raise UserError(msg)
    return names


def _ignores(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, ...]] | None:
    """Split `PATTERN:RULE`, several with commas between them; None where the option was not given."""
    pairs = _split(context, parameter, values)
    if pairs is None:
        return None
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        pattern, colon, selector = (part.strip() for part in pair.rpartition(":"))
        if not (pattern and colon and selector):
            msg = f"{parameter.opts[0]}: expects PATTERN:RULE, not `{pair}`"
            raise UserError(msg)
        found[pattern] = (*found.get(pattern, ()), selector)
    return found


def _version(
    _: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Read a version of PyTorch."""
    return None if value is None else version(value, parameter.opts[0])


def _with(
    function: Callable[..., Any], options: Iterable[Callable[..., Any]]
) -> Callable[..., Any]:
    """Add options to a command, the first of them shown first."""
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def selection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose rules and the configuration."""
    what = "Names, codes, code prefixes, families, severities or ALL, with commas between them."
    return _with(
        function,
        (
            click.option(
                "--select",
                multiple=True,
                metavar="RULES",
                callback=_names,
                help=f"Rules to turn on instead of the usual ones. {what}",
            ),
            click.option(
                "--ignore", multiple=True, metavar="RULES", callback=_names, help="To turn off."
            ),
            click.option(
                "--extend-select",
                multiple=True,
                metavar="RULES",
                callback=_names,
                help="More to turn on.",
            ),
            click.option(
                "--config",
                multiple=True,
                metavar="PATH|KEY=VALUE",
                help="Read this configuration file for all files instead of the nearest one of each;"
                " or set one thing over all files, as TOML writes it: 'target-torch = \"2.5\"'.",
            ),
            click.option("--isolated", is_flag=True, help="Read no configuration file."),
        ),
    )


def file_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which files are linted, and for what."""
    return _with(
        function,
        (
            click.option(
                "--per-file-ignores",
                multiple=True,
                metavar="PATTERN:RULE",
                callback=_ignores,
                help="Rules to turn off in some files, instead of what configurations say of that.",
            ),
            click.option(
                "--extend-per-file-ignores",
                multiple=True,
                metavar="PATTERN:RULE",
                callback=_ignores,
                help="More of that.",
            ),
            click.option(
                "--exclude",
                multiple=True,
                metavar="PATTERNS",
                callback=_split,
                help="Files and folders to leave out, instead of the usual ones and the configured.",
            ),
            click.option(
                "--extend-exclude",
                multiple=True,
                metavar="PATTERNS",
                callback=_split,
                help="More to leave out.",
            ),
            click.option(
                "--force-exclude/--no-force-exclude",
                default=None,
                help="Leave out even what is named, as pre-commit names it.",
            ),
            click.option(
                "--include-configs/--no-include-configs",
                default=None,
                help="Also lint the YAML, JSON and TOML files in folders that configure a training.",
            ),
            click.option(
                "--target-torch",
                metavar="VERSION",
                callback=_version,
                help="The oldest PyTorch that the code is for, such as 2.5.",
            ),
        ),
    )


def hierarchy(
    catalogue: Catalogue, options: dict[str, Any], between: Iterable[Config] = ()
) -> Hierarchy:
    """Return the configurations that the options leave, what is ``between``, and the options upon them."""
    named: Config | None = None
    above: list[Config] = list(between)
    for text in options["config"]:
        inline = None
        if not text:
            msg = f"{INLINE}: expects a file or `key = value`, and is empty"
            raise UserError(msg)
        if "=" in text and not os.path.exists(text):
            inline = inline_config(text)
            if inline is None and not text.endswith(".toml"):
                msg = f"{INLINE}: is neither a file nor `key = value` as TOML writes it: `{text}`"
                raise UserError(msg)
        if inline is not None:
            above.append(inline)
        elif options["isolated"]:
            msg = "--isolated and --config with a file exclude each other"
            raise UserError(msg)
        elif named is not None:
            msg = f"{INLINE}: one file can be named, not `{named.origin}` and `{text}`"
            raise UserError(msg)
        else:
            named = read_config(text)
    if options["isolated"]:
        named = Config()
    return Hierarchy(catalogue, named, (*above, _command_line(options)))


def said_of_rules(options: dict[str, Any]) -> dict[str, object]:
    """Return what the options say of rules as `watch` is told it, for a recording to keep."""
    thresholds: dict[str, dict[str, object]] = {}
    for text in options["config"]:
        inline = inline_config(text) if "=" in text and not os.path.exists(text) else None
        for name, values in (inline.thresholds if inline is not None else {}).items():
            thresholds.setdefault(name, {}).update(values)
    return {
        "select": options["select"],
        "ignore": options["ignore"] or (),
        "extend_select": options["extend_select"] or (),
        "thresholds": thresholds or None,
    }


def _command_line(options: dict[str, Any]) -> Config:
    """Return what the options of a command say, of which it need not have all."""
    return Config(
        origin=_COMMAND_LINE,
        selection=Selection(
            _COMMAND_LINE,
            options["select"],
            options["ignore"] or (),
            options["extend_select"] or (),
        ),
        per_file_ignores=options.get("per_file_ignores"),
        extend_per_file_ignores=options.get("extend_per_file_ignores") or {},
        exclude=options.get("exclude"),
        extend_exclude=options.get("extend_exclude") or (),
        force_exclude=options.get("force_exclude"),
        include_configs=options.get("include_configs"),
        target_torch=options.get("target_torch"),
    )
