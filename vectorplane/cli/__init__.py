"""The command line, the top floor. Each command's work and imports are in a file of its own, loaded when it runs."""

from __future__ import annotations

import sys


def main() -> None:
    """The program ``vectorplane``. Exit status: 0 done, 1 an error, 2 wrong usage, 130 interrupted."""
    from vectorplane.cli.app import app
    from vectorplane.cli.errors import report

    try:
        app()
    except BrokenPipeError:  # the reader of our output has had enough (`| head`)
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not report(error):
            raise
        sys.exit(1)
