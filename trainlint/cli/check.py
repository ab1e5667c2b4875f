"""`trainlint check`: lint files and folders."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.adopting import Adoption, Check, adoption_options
from trainlint.cli.fixing import Fixing, fix_options
from trainlint.cli.output import COLOUR_CHOICES, in_colours, keep, warn, write
from trainlint.cli.settings import file_options, hierarchy, selection_options
from trainlint.cli.showing import output_options
from trainlint.core.catalogue import load_catalogue
from trainlint.core.errors import UserError
from trainlint.core.report import Failure, FileReport
from trainlint.core.site import site_url
from trainlint.output.formats import DEFAULT, FORMATS, Linted, refuse, render
from trainlint.static.cache_folder import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.config import Settings
    from trainlint.core.hierarchy import Hierarchy
    from trainlint.static.graph import Links

STDIN = "-"
_WORTH_A_CACHE = 5
"""Fewer files are linted in the time that it takes to open a cache."""


@click.command("check", cls=Check, short_help="Lint files and folders.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@selection_options
@file_options
@output_options(f"{DEFAULT} is the default.")
@fix_options
@adoption_options
@click.option("--statistics", is_flag=True, help="Show only how often each rule speaks.")
@click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even where there are diagnoses.")
@click.option("-q", "--quiet", is_flag=True, help="Show diagnoses and failures only.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what is read, and how long it takes.")
@click.option(
    "--color",
    type=click.Choice(COLOUR_CHOICES),
    default="auto",
    help="auto (the default) asks NO_COLOR, FORCE_COLOR and the terminal.",
)
@click.option("--show-files", is_flag=True, help="List the files that would be linted.")
@click.option("--show-settings", is_flag=True, help="Show the settings of the first of them.")
@click.option("--show-unresolved", is_flag=True, help="List what could not be followed.")
@click.option("-n", "--no-cache", is_flag=True, help="Neither read nor write a cache.")
@click.option(
    "--cache-dir",
    metavar="PATH",
    envvar="TRAINLINT_CACHE_DIR",
    show_envvar=True,
    help="Where the cache is; .trainlint_cache beside the configuration, or here, is the default.",
)
@click.option("--stdin-filename", metavar="PATH", help="The name of what is read from `-`.")
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Lint Python files and notebooks, folders (all of them therein), or - for standard input.

    A YAML, JSON or TOML file that is named is linted as a configuration of a training: of Hydra,
    Lightning, transformers, DeepSpeed and the like. YAML needs the extra trainlint[configs].

    Exits with 0 where all is well, 1 where there are diagnoses (advice is given only by rules that
    are selected, and counts like any other), 2 where something could not be linted.
    """
    started = time.perf_counter()
    paths = paths or (os.curdir,)
    if options["quiet"] and options["verbose"]:
        msg = "--quiet and --verbose exclude each other"
        raise UserError(msg)
    if STDIN in paths and len(paths) > 1:
        msg = "`-` stands alone: standard input is not linted together with files"
        raise UserError(msg)
    fixing = Fixing.of(options)
    adoption = Adoption.of(options, stdin=paths == (STDIN,))
    refuse(
        options["output_format"],
        statistics=options["statistics"],
        unresolved=options["show_unresolved"],
    )
    site_url()  # a wrong address is said before anything is linted
    catalogue = load_catalogue()
    configurations = hierarchy(catalogue, options)

    if paths == (STDIN,):
        name = options["stdin_filename"] or STDIN
        settings = configurations.settings([name])
        known = adoption.read([name], settings)
        keep(
            options["output_file"], [*configurations.files, options["stdin_filename"] or "", *known]
        )
        if options["show_files"] or options["show_settings"]:
            lines = _settings_shown(name, configurations) if options["show_settings"] else [name]
            write(lines, options["output_file"])
            return 0
        reports = _lint_stdin(name, configurations, options, fixing)
    else:
        from trainlint.static.discovery import discover  # noqa: PLC0415 - not needed for stdin

        found = list(discover(paths, configurations.settings_of))
        files = [one for one in found if isinstance(one, str)]
        lost = [one for one in found if isinstance(one, Failure)]
        settings = configurations.settings(files)
        known = adoption.read(files, settings)
        keep(options["output_file"], [*configurations.files, *files, *known])
        if options["show_files"]:
            write(files, options["output_file"])
            _tell(lost)
            return 2 if lost else 0
        if options["show_settings"]:
            if not files:
                msg = f"no file to show the settings of under {', '.join(paths)}"
                raise UserError(msg)
            write(_settings_shown(files[0], configurations), options["output_file"])
            return 0
        if not files and not lost and not options["quiet"]:
            warn(f"warning: no Python files found under {', '.join(paths)}")
        reports = [FileReport(one.path, failures=[one]) for one in lost]
        home = os.path.dirname(configurations.files[0]) if configurations.files else os.curdir
        linted = _lint(files, settings, options, home)
        wanted = _wants_unresolved(options)
        reports += fixing.fix_files(files, settings, linted, unresolved=wanted)
    reports = adoption.hidden(reports, settings)
    for report in reports:
        _tell(report.failures)
    if adoption.only:
        return adoption.write(reports, settings)
    fixing.tell_refused()
    fixing.write_source()
    if fixing.diff:
        fixing.show_diff(options["color"])
    with fixing.aside():
        _show(reports, catalogue, options, fixing)
    if options["verbose"]:
        _tell_more(configurations.files, settings, reports, time.perf_counter() - started)
    code = _exit_code(reports, exit_zero=options["exit_zero"])
    return fixing.exit_code(code, exit_zero=options["exit_zero"])


def _settings_shown(path: str, configurations: Hierarchy) -> Iterator[str]:
    """Return the lines that show the settings of a file."""
    from trainlint.output.shown_settings import render as lines  # noqa: PLC0415 - only here

    read = configurations.config_of(os.path.dirname(path)).files
    return lines(path, list(read), configurations.settings([path]))


def _lint_stdin(
    name: str, configurations: Hierarchy, options: dict[str, Any], fixing: Fixing
) -> list[FileReport]:
    """Lint what comes from standard input, and make its fixes where that was asked for."""
    from trainlint.static.engine import lint_bytes  # noqa: PLC0415 - most of our own start-up time

    if sys.stdin is None:
        msg = "standard input is closed"
        raise UserError(msg)
    data = sys.stdin.buffer.read()
    settings = configurations.settings([name])
    if settings.force_exclude and options["stdin_filename"]:
        from trainlint.static.discovery import is_forced_out  # noqa: PLC0415 - only where it is asked

        if is_forced_out(name, configurations.settings_of):
            fixing.stdin = data if fixing.make else None
            return []
    wanted = _wants_unresolved(options)
    if fixing.make:
        return fixing.fix_stdin(name, data, settings, unresolved=wanted)
    return [lint_bytes(name, data, settings, unresolved=wanted)]


def _lint(
    files: Sequence[str],
    settings: Settings,
    options: dict[str, Any],
    folder: str,
) -> list[FileReport]:
    """Lint files; where nothing is asked beside their diagnoses, from the cache of a folder."""
    if not files:
        return []
    wanted = _wants_unresolved(options)

    def lint(some: Sequence[str], links: Mapping[str, Links] | None = None) -> Iterable[FileReport]:
        if not some:
            return ()
        from trainlint.static.engine import lint_files  # noqa: PLC0415 - most of our start-up time

        return lint_files(some, settings, unresolved=wanted, among=files, links=links)

    if options["no_cache"] or wanted or len(files) < _WORTH_A_CACHE:
        return list(lint(files))
    from trainlint.static.cache import Cache  # noqa: PLC0415 - only where it is used

    cache = Cache(options["cache_dir"] or os.path.join(folder, FOLDER))
    return list(cache.reports(files, settings, lint))


def _wants_unresolved(options: dict[str, Any]) -> bool:
    """Say whether what could not be followed is shown or counted."""
    return bool(options["show_unresolved"] or options["verbose"])


def _show(
    reports: Sequence[FileReport], catalogue: Catalogue, options: dict[str, Any], fixing: Fixing
) -> None:
    """Write the reports in the format that was asked for, or only what was fixed."""
    to_file = options["output_file"]
    name, statistics = options["output_format"], options["statistics"]
    linted = Linted(
        reports,
        catalogue,
        colours=in_colours(options["color"], to_file=to_file is not None),
        unresolved=options["show_unresolved"],
        summary=not (options["quiet"] or fixing.only),
        alone=to_file is not None,
        unsafe=fixing.unsafe,
        fixed=fixing.fixed,
        show_fixed=fixing.show,
    )
    lines = list(
        render(name, linted, statistics=statistics) if statistics or not fixing.only else ()
    )
    if fixing.only and not options["quiet"]:
        said = fixing.only_lines(reports)
        # The difference may be read by `patch`, and a format by the machine that it is for.
        if fixing.diff or not FORMATS[name].for_people:
            warn("\n".join(said))
        else:
            lines += said
    write(lines, to_file)


def _tell(failures: Sequence[Failure]) -> None:
    """Say what could not be linted."""
    from trainlint.output.style import printable  # noqa: PLC0415 - only where it is used

    for failure in failures:
        warn(f"error: {printable(str(failure))}")


def _tell_more(
    read: Sequence[str], settings: Settings, reports: Sequence[FileReport], seconds: float
) -> None:
    """Say what was read, and how long it took."""
    from trainlint.output.text import counted  # noqa: PLC0415 - only where it is used

    unresolved = sum(len(report.unresolved) for report in reports)
    for path in read or ("none",):
        warn(f"configuration: {path}")
    on = [len(one.rules) for one in (settings, *settings.nested.values())]
    spread = f"{min(on)} to {max(on)}" if min(on) < max(on) else on[0]
    warn(f"rules on: {spread}")
    warn(f"files: {len(reports)} in {seconds:.2f} s")
    warn(f"not followed: {counted(unresolved, 'expression')} (--show-unresolved lists them)")


def _exit_code(reports: Sequence[FileReport], *, exit_zero: bool) -> int:
    """Return 2 where something could not be linted, 1 where there are diagnoses.

    Advice counts: it is given only where somebody asked for it, and pre-commit hides what a hook says
    that exits with 0.
    """
    if any(report.failures for report in reports):
        return 2
    return int(any(report.diagnoses for report in reports) and not exit_zero)
