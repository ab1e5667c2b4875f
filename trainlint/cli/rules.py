"""`trainlint rules`: list the rules."""

from __future__ import annotations

import os
from typing import Any

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, on_terminal, write
from trainlint.cli.settings import hierarchy, selection_options
from trainlint.core.catalogue import load_catalogue
from trainlint.core.rule import Family
from trainlint.output.listing import Listed, rows


@click.command("rules", short_help="List the rules.")
@click.option(
    "--family",
    type=click.Choice([family.value for family in Family]),
    help="Only the rules of this family.",
)
@selection_options
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", help="text or json."
)
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
def command(family: str | None, output_format: str, color: str, **options: Any) -> int:
    """List all rules, and whether they are on in the folder that you are in."""
    catalogue = load_catalogue()
    settings = hierarchy(catalogue, options).settings_of(os.curdir)
    on = {rule.name for rule in settings.rules}
    listed = [
        Listed(rule, rule.name in on, settings.severity_of(rule))
        for rule in catalogue
        if family is None or rule.family == family
    ]
    if output_format == "json":
        from trainlint.output import json_format  # noqa: PLC0415 - only where it is used

        write([json_format.rules(listed)])
    elif on_terminal() or in_colours(color):
        from trainlint.output.terminal import show_rules  # noqa: PLC0415 - rich takes 30 ms

        show_rules(listed, colours=in_colours(color))
    else:
        write(rows(listed))
    return 0
