"""`python -m trainlint` and the command `trainlint`."""

from __future__ import annotations

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


if __name__ == "__main__":
    main()
