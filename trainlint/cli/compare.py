"""`trainlint compare`: what differs between recorded trainings."""

from __future__ import annotations

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, keep, write
from trainlint.core.errors import UserError
from trainlint.output.style import Style


@click.command("compare", short_help="Show what differs between recorded trainings.")
@click.argument("files", nargs=-1, metavar="A.tlr B.tlr ...")
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", help="text or json."
)
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
@click.option("--html", metavar="PATH", help="Write the curves there, too, in one HTML file.")
def command(files: tuple[str, ...], output_format: str, color: str, html: str | None) -> int:
    """Show verdicts, settings that differ, losses, and the diagnoses that are gone or new against A."""
    if not 2 <= len(files) <= 26:  # noqa: PLR2004 - from A to Z
        msg = f"compare expects two to 26 recordings, not {len(files)}"
        raise UserError(msg)
    from trainlint.cli.recordings import compared  # noqa: PLC0415 - sqlite
    from trainlint.output import overview  # noqa: PLC0415

    keep(html, files)
    found = compared(files)
    if html is not None:
        from trainlint.output.comparison import page  # noqa: PLC0415 - an extra

        write([page(found)], html)
    if output_format == "json":
        write([overview.comparison_json(found)])
    else:
        write(overview.comparison(found, Style(in_colours(color))))
    return 0
