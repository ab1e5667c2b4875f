"""`python -m trainlint` and the command `trainlint`."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from trainlint.cli.main import run  # noqa: PLC0415 - Ctrl-C must be quiet from here on

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _forget_the_current_folder() -> None:
    """Take out of the path what `python -m` puts first: the user's own `json.py` is not to be run."""
    ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != ours:
        del sys.path[0]


if __name__ == "__main__":
    _forget_the_current_folder()
    main()
