"""The command `trainlint`: finds its subcommands when they are asked for, and never shows a traceback."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from trainlint import __version__
from trainlint.cli.output import BROKEN_PIPE, abandon
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

COULD_NOT_RUN: Final = 2
_INTERRUPTED: Final = 130

_COMMANDS: Final = (
    "batch-size",
    "check",
    "clean",
    "compare",
    "export",
    "live",
    "lr",
    "probe",
    "replay",
    "report",
    "rule",
    "rules",
    "run",
    "runs",
    "server",
)
"""Each is `trainlint.cli.NAME.command` (`_` for `-`), imported when it runs or its help is shown."""


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"trainlint.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the arguments; say which is nearest to one that is unknown."""
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            from trainlint.core.errors import nearest  # noqa: PLC0415

            ctx.fail(f"no command is called `{args[0]}`{nearest(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="trainlint %(version)s")
def commands() -> None:
    """Find what makes neural-network training fail, before it runs."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by whoever started us.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            # Paths and code of the user may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    try:
        os.getcwd()
    except FileNotFoundError:
        return _fail("the current folder has been deleted")
    try:
        code = commands.main(list(arguments), prog_name="trainlint", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return COULD_NOT_RUN
    except click.ClickException as error:
        return _fail(error.format_message())
    except UserError as error:
        return _fail(str(error))
    except click.Abort:
        return _INTERRUPTED
    except BrokenPipeError:
        abandon(sys.stdout)
        return BROKEN_PIPE
    except Exception as error:
        if os.environ.get("TRAINLINT_TRACEBACK"):
            raise
        return _fail(
            f"trainlint failed ({type(error).__name__}: {error}); this is a bug of trainlint, "
            "TRAINLINT_TRACEBACK=1 shows where"
        )
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    """Tell in one line why trainlint could not run."""
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return COULD_NOT_RUN
