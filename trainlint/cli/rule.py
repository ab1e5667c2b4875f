"""`trainlint rule`: show the page of a rule."""

from __future__ import annotations

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, on_terminal, write
from trainlint.core.catalogue import load_catalogue
from trainlint.core.errors import UserError, nearest
from trainlint.core.page import read_page


@click.command("rule", short_help="Show the page of a rule.")
@click.argument("name", metavar="NAME|CODE")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text (the default) is rendered on a terminal and Markdown elsewhere.",
)
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
def command(name: str, output_format: str, color: str) -> int:
    """Show why a rule exists, code that breaks it, code that does not, and who says so."""
    catalogue = load_catalogue()
    rule = catalogue.find(name)
    if rule is None:
        known = [key for one in catalogue for key in (one.name, one.code)]
        msg = f"no rule is called `{name}`{nearest(name, known)}"
        raise UserError(msg)
    page = read_page(rule)
    if output_format == "json":
        from trainlint.output import json_format  # noqa: PLC0415 - only where it is used

        write([json_format.page(rule, page)])
    elif page is None:
        msg = f"the rule {rule.name} has no page"
        raise UserError(msg)
    elif on_terminal() or in_colours(color):
        from trainlint.output.terminal import show_page  # noqa: PLC0415 - rich takes 60 ms

        show_page(page, colours=in_colours(color))
    else:
        write([page.text.rstrip("\n")])
    return 0
