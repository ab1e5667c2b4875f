"""The options of `trainlint check` by which fixes are made or shown, and what is said of them."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from trainlint.cli.output import in_colours, on_terminal, warn, write, write_bytes
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport
    from trainlint.static.fixer import Outcome


def fix_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that make or show fixes."""
    for option in (
        click.option(
            "--exit-non-zero-on-fix",
            is_flag=True,
            help="Exit with 1 where a file was changed, even if no diagnosis is left.",
        ),
        click.option(
            "--show-fixes/--no-show-fixes", default=False, help="List what has been fixed."
        ),
        click.option(
            "--fix-only/--no-fix-only",
            default=False,
            help="Make fixes, and neither show what is left nor exit with 1 for it.",
        ),
        click.option(
            "--diff",
            is_flag=True,
            help="Write no file; show what fixes would change, and exit with 1 if they would.",
        ),
        click.option(
            "--unsafe-fixes/--no-unsafe-fixes",
            default=False,
            help="Also make the fixes that change the training or its checkpoints.",
        ),
        click.option(
            "--fix/--no-fix",
            default=False,
            help="Make the fixes after which the training does the same; see --unsafe-fixes.",
        ),
    ):
        function = option(function)
    return function


@dataclass(slots=True)
class Fixing:
    """What was asked for, and what has come of it."""

    make: bool
    unsafe: bool
    diff: bool
    only: bool
    show: bool
    exit_non_zero: bool
    outcome: Outcome | None = None
    stdin: bytes | None = field(default=None, repr=False)
    """What was read from standard input, with the fixes made."""

    @classmethod
    def of(cls, options: dict[str, Any]) -> Fixing:
        """Read the options of the command."""
        for one, other in (
            ("diff", "show_fixes"),
            ("diff", "statistics"),
            ("exit_zero", "exit_non_zero_on_fix"),
        ):
            if options[one] and options[other]:
                names = " and ".join(f"--{name.replace('_', '-')}" for name in (one, other))
                msg = f"{names} exclude each other"
                raise UserError(msg)
        source = click.get_current_context().get_parameter_source
        for other in ("output_file", "output_format"):
            # What a variable of the environment says is for all runs, and may have no part in one.
            if options["diff"] and source(other) is ParameterSource.COMMANDLINE:
                msg = f"--diff and --{other.replace('_', '-')} exclude each other"
                raise UserError(msg)
        only = options["fix_only"] or options["diff"]
        return cls(
            make=options["fix"] or only,
            unsafe=options["unsafe_fixes"],
            diff=options["diff"],
            only=only,
            show=options["show_fixes"],
            exit_non_zero=options["exit_non_zero_on_fix"],
        )

    @property
    def made(self) -> int:
        """How many diagnoses are fixed."""
        return 0 if self.outcome is None else self.outcome.made

    def fix_files(
        self,
        files: Sequence[str],
        settings: Settings,
        reports: list[FileReport],
        *,
        unresolved: bool,
    ) -> list[FileReport]:
        """Make the fixes of files where that was asked for; return what is to be said of them then."""
        if not self.make:
            return reports
        from trainlint.static.fixer import fix_files  # noqa: PLC0415 - only where it is used

        self.outcome = fix_files(
            files,
            settings,
            reports,
            unsafe=self.unsafe,
            write=not self.diff,
            unresolved=unresolved,
        )
        return self.outcome.reports

    def fix_stdin(
        self, name: str, data: bytes, settings: Settings, *, unresolved: bool
    ) -> list[FileReport]:
        """Make the fixes of what comes from standard input."""
        from trainlint.static.fixer import fix_bytes  # noqa: PLC0415 - only where it is used

        self.stdin, self.outcome = fix_bytes(
            name, data, settings, unsafe=self.unsafe, unresolved=unresolved
        )
        return self.outcome.reports

    def write_source(self) -> None:
        """Write the mended standard input to the standard output."""
        if self.stdin is not None and not self.diff:
            write_bytes(self.stdin)

    def aside(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which reports go to the error output, if the standard one has the source."""
        if self.stdin is None:
            return contextlib.nullcontext()
        return contextlib.redirect_stdout(sys.stderr)

    def tell_refused(self) -> None:
        """Say which fixes were not made though they were asked for."""
        from trainlint.output.style import printable  # noqa: PLC0415 - only where it is used

        for diagnosis, why in () if self.outcome is None else self.outcome.refused:
            place = f"{diagnosis.path}:{diagnosis.span.place}"
            line = f"{place}: the fix of {diagnosis.rule} is not made: it {why}"
            warn(f"warning: {printable(line)}")

    def show_diff(self, color: str) -> None:
        """Write what the fixes would change: for a person, or to the byte, as `patch` takes it."""
        from trainlint.output import diff  # noqa: PLC0415 - only where it is used
        from trainlint.output.style import Style  # noqa: PLC0415

        for one in () if self.outcome is None else self.outcome.mended:
            mark = "\ufeff" if one.before.bom else ""
            pieces = zip(one.before.pieces, one.after.pieces, strict=True)
            for (name, before), (_, after) in pieces:
                lines = list(diff.unified(name, mark + before, mark + after))
                if on_terminal():
                    write(diff.painted(lines, Style(in_colours(color))))
                else:
                    head, body = "".join(lines[:2]), "".join(lines[2:])
                    write_bytes(os.fsencode(head) + body.encode(one.before.encoding))

    @property
    def fixed(self) -> list[tuple[str, list[Diagnosis]]] | None:
        """What has been fixed in which files; None where no fixes were asked for."""
        if self.outcome is None:
            return None
        return [(one.path, one.made) for one in self.outcome.mended]

    def only_lines(self, reports: Sequence[FileReport]) -> list[str]:
        """Return what was fixed, or would be, where nothing is said of what is left."""
        from trainlint.output import fixes  # noqa: PLC0415 - only where it is used

        listed = fixes.listed(self.fixed or ()) if self.show and self.made else ()
        return [*listed, fixes.only(reports, self.made, unsafe=self.unsafe, would=self.diff)]

    def exit_code(self, found: int, *, exit_zero: bool) -> int:
        """Return the exit code, given the one of what is left."""
        if found == 2 or exit_zero:  # noqa: PLR2004 - something could not be linted
            return found
        if self.diff:
            return int(self.made > 0)
        if self.exit_non_zero and self.made:
            return 1
        return 0 if self.only else found
