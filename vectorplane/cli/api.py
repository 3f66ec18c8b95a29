"""``vectorplane api``: the message definitions of the API that is served."""

from __future__ import annotations

import sys
from pathlib import Path

from vectorplane.cli.errors import report


def run(directory: Path) -> None:
    """Write them. Ends the program with status 1 when the directory can't be written."""
    from vectorplane.control.vppapi.api_json import write
    from vectorplane.control.vppapi.handlers import all_handlers
    from vectorplane.control.vppapi.schema.registry import load

    try:
        written = write(directory, load(), all_handlers())
    except OSError as error:
        if not report(error):
            raise
        sys.exit(1)
    print(f"{len(written)} files in {directory}")
