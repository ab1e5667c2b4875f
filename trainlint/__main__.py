"""`python -m trainlint` and the command `trainlint`."""

from __future__ import annotations

import gc
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:2] == ["check"]:
        gc.disable()  # what is imported stays, and linting collects its own garbage
    try:
        from trainlint.cli.main import run  # noqa: PLC0415 - Ctrl-C must be quiet from here on

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException as error:
        if type(error).__name__ != "Interrupted":
            raise
        sys.excepthook = lambda *_: None  # the program's traceback has been shown
        raise KeyboardInterrupt from None  # so that the process dies of the signal, as the program would
    sys.exit(code)


def _forget_the_current_folder() -> None:
    """Take out of the path what `python -m` puts first: the user's own `json.py` is not to be run."""
    if sys.flags.safe_path:
        return
    ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if os.path.realpath(sys.path.pop(0)) == ours and ours not in map(os.path.realpath, sys.path):
        sys.path.append(ours)  # a checkout that is run where it lies


if __name__ == "__main__":
    _forget_the_current_folder()
    main()
