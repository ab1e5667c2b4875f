"""The options of `trainlint check` by which an old project begins anew: `--add-noqa`, and the baseline."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import click

from trainlint.cli.output import warn, write
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainlint.core.baseline import Baseline
    from trainlint.core.config import Settings
    from trainlint.core.report import FileReport

_BASELINE: Final = ("write_baseline", "update_baseline", "baseline")
_NOQA: Final = "--add-noqa"
_FIXING: Final = ("fix", "fix_only", "diff")


def adoption_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that silence what is there already."""
    for option in (
        click.option(
            "--update-baseline",
            is_flag=True,
            help="Take out of the file of --baseline what is no longer there.",
        ),
        click.option(
            "--write-baseline",
            metavar="FILE",
            help="Write what is found to a baseline, and show none of it.",
        ),
        click.option(
            "--baseline",
            metavar="FILE",
            help="Show only what is not in this baseline; --fix mends both.",
        ),
        click.option(
            "--no-baseline", is_flag=True, help="Show also what is in the configured baseline."
        ),
        click.option(
            _NOQA,
            metavar="[=REASON]",
            help="Silence all that is found: add `# noqa: CODE` to the lines, a reason behind it if"
            " you give one, and show none of it.",
        ),
    ):
        function = option(function)
    return function


class Check(click.Command):
    """A command whose `--add-noqa` takes a value only behind `=`, so that it never takes a path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give the option an empty value where it has none."""
        end = args.index("--") if "--" in args else len(args)
        args = [f"{_NOQA}=" if one == _NOQA else one for one in args[:end]] + args[end:]
        return super().parse_args(ctx, args)


@dataclass(slots=True)
class Adoption:
    """What was asked for."""

    noqa: str | None
    """The reason for the comments that are to be added, empty for none; None where none are wanted."""
    known: Baseline | None
    """The baseline that is named, whose diagnoses are hidden."""
    new: Baseline | None
    """The baseline that is to be written."""
    update: bool
    quiet: bool
    configured: bool = False
    """Whether the configured baselines count: none is named, written or refused."""
    by_path: dict[str, Baseline] = field(default_factory=dict)
    """The configured baselines, by their absolute paths."""

    @classmethod
    def of(cls, options: dict[str, Any], *, stdin: bool) -> Adoption:
        """Read the options of the command, and the baseline."""
        noqa, path, new = options["add_noqa"], options["baseline"], options["write_baseline"]
        writes = "add_noqa" if noqa is not None else "write_baseline" if new is not None else ""
        others = ("statistics", "output_file", *_BASELINE, *_FIXING)
        if noqa is not None:
            if not noqa.isprintable():
                msg = f"{_NOQA}: expects a reason of one line, not {noqa!r}"
                raise UserError(msg)
            _exclude("add_noqa", others, options)
        elif new is not None:
            _exclude("write_baseline", [one for one in others if one != "write_baseline"], options)
        if path is not None:
            _exclude("baseline", ("no_baseline",), options)
        configured = path is None and new is None and not options["no_baseline"]
        if options["update_baseline"] and path is None and not configured:
            msg = "--update-baseline needs --baseline FILE"
            raise UserError(msg)
        if options["update_baseline"]:
            writes = "update_baseline"
            _exclude(writes, ("diff",), options)
        if writes and stdin:
            msg = f"{_flag(writes)} needs files, not standard input"
            raise UserError(msg)
        quiet = options["quiet"]
        if path is None and new is None:
            update = options["update_baseline"]
            return cls(noqa, None, None, update=update, quiet=quiet, configured=configured)
        from trainlint.core.baseline import Baseline  # noqa: PLC0415 - only where it is used

        known = None if path is None else Baseline.read(path)
        there = new is not None and os.path.lexists(new)
        # Whatever lies there must be a baseline: nothing else is written over.
        written = None if new is None else Baseline.read(new) if there else Baseline(new)
        return cls(noqa, known, written, update=options["update_baseline"], quiet=quiet)

    @property
    def only(self) -> bool:
        """Whether something is written instead of showing what was found."""
        return self.noqa is not None or self.new is not None

    def read(self, paths: Sequence[str], settings: Settings) -> list[str]:
        """Read the configured baselines of files; return the paths of all baselines."""
        if self.known is not None:
            return [self.known.path]
        if self.configured:
            from trainlint.core.baseline import Baseline  # noqa: PLC0415 - only where it is used

            for path in dict.fromkeys(settings.of(one).baseline for one in paths):
                if path:
                    here = os.path.join(os.getcwd(), "")
                    self.by_path[path] = Baseline.read(path.removeprefix(here))
            if self.update and not self.by_path:
                msg = "--update-baseline needs --baseline FILE, or one that is configured"
                raise UserError(msg)
        return list(self.by_path)

    def hidden(self, reports: list[FileReport], settings: Settings) -> list[FileReport]:
        """Return the reports without what the baselines know; tell what in them is stale."""
        if self.known is not None:
            return self._hidden(self.known, reports, settings)
        for path, known in self.by_path.items():
            places = [
                at for at, one in enumerate(reports) if settings.of(one.path).baseline == path
            ]
            left = self._hidden(known, [reports[at] for at in places], settings)
            for at, report in zip(places, left, strict=True):
                reports[at] = report
        return reports

    def _hidden(
        self, known: Baseline, reports: list[FileReport], settings: Settings
    ) -> list[FileReport]:
        """Return the reports without what one baseline knows; tell what in it is stale."""
        from trainlint.output import fixes  # noqa: PLC0415 - only where it is used
        from trainlint.output.style import printable  # noqa: PLC0415
        from trainlint.output.text import counted  # noqa: PLC0415

        stale = known.stale(reports, settings)
        if stale and (self.update or not self.quiet):
            path = printable(known.path)
            number = stale.total()
            files = counted(len({entry.path for entry in stale}), "file")
            if self.update:
                known.updated(stale).write()
                if not self.quiet:
                    warn(f"{path}: {fixes.diagnoses(number)} in {files} taken out: no longer there")
            else:
                warn(
                    f"warning: {path}: {fixes.diagnoses(number)} in {files} no longer there;"
                    " --update-baseline takes them out"
                )
        return known.hide(reports)

    def write(self, reports: Sequence[FileReport], settings: Settings) -> int:
        """Write what was asked for, and say what was; return the exit code."""
        from trainlint.output import fixes  # noqa: PLC0415 - only where it is used
        from trainlint.output.style import printable  # noqa: PLC0415
        from trainlint.output.text import counted  # noqa: PLC0415

        failed = any(report.failures for report in reports)
        if self.new is not None:
            new = self.new.anew(reports, settings)
            new.write()
            files = counted(len({entry.path for entry in new.counts}), "file")
            said = (
                f"Wrote {fixes.diagnoses(new.counts.total())} in {files} to {printable(new.path)}."
            )
        else:
            from trainlint.static.noqa import add_noqa  # noqa: PLC0415 - only where it is used

            done = add_noqa(reports, settings.known, (self.noqa or "").strip())
            for failure in done.failures:
                warn(f"error: {printable(str(failure))}")
            for one in done.left:
                place = printable(f"{one.path}:{one.span.place}")
                warn(f"warning: {place}: no comment can silence {one.code} here")
            failed = failed or bool(done.failures)
            comments = counted(done.comments, "noqa comment")
            said = f"Added {comments} in {counted(done.files, 'file')}."
            if not done.comments and not failed:
                said = "No noqa comment is needed."
        if not self.quiet:
            write([said])
        return 2 if failed else 0


def _exclude(name: str, others: Sequence[str], options: dict[str, Any]) -> None:
    """Refuse options that make no sense together."""
    for other in others:
        if options[other]:
            msg = f"{_flag(name)} and {_flag(other)} exclude each other"
            raise UserError(msg)


def _flag(name: str) -> str:
    """Return an option as the user writes it."""
    return f"--{name.replace('_', '-')}"
