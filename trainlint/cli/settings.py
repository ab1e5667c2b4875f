"""The options by which commands choose rules, and the settings that come of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainlint.core.config import Config, Selection, find_config, read_config
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _names(
    _: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Split comma lists; None where the option was not given."""
    if not values:
        return None
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    if not names:
        # An empty variable of a script must not turn every rule off.
        msg = f"{parameter.opts[0]}: expects at least one rule or group of rules"
        raise UserError(msg)
    return names


def selection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose rules and the configuration."""
    what = "Names, codes, code prefixes, families, severities or ALL, with commas between them."
    for option in (
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option("--config", metavar="PATH", help="Read this configuration file."),
        click.option(
            "--extend-select",
            multiple=True,
            metavar="RULES",
            callback=_names,
            help="More to turn on.",
        ),
        click.option(
            "--ignore", multiple=True, metavar="RULES", callback=_names, help="To turn off."
        ),
        click.option(
            "--select",
            multiple=True,
            metavar="RULES",
            callback=_names,
            help=f"Rules to turn on instead of the usual ones. {what}",
        ),
    ):
        function = option(function)
    return function


def command_line(
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    extend_select: tuple[str, ...] | None,
) -> Selection:
    """Return what the command line selects."""
    return Selection("command line", select, ignore or (), extend_select or ())


def configuration(paths: Iterable[str], config: str | None, *, isolated: bool) -> Config:
    """Return the configuration: the named one, or the nearest above all the paths."""
    if isolated:
        if config is not None:
            msg = "--isolated and --config exclude each other"
            raise UserError(msg)
        return Config()
    if config is not None:
        return read_config(Path(config))
    return find_config(_common_folder(paths))


def _common_folder(paths: Iterable[str]) -> Path:
    """Return the folder that holds all the paths."""
    folders = []
    for path in paths:
        absolute = os.path.abspath(path)
        folders.append(absolute if os.path.isdir(absolute) else os.path.dirname(absolute))
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # none, or on different drives
        return Path.cwd()
