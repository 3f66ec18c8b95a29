"""Which definitions of VPP's messages a command uses."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def definitions(folder: Path | None) -> Iterator[str]:
    """A folder with the definitions of VPP's messages: the one named, VPP's own, or else ours, for the time within."""
    from vectorplane.backends.vpp.definitions import INSTALLED

    if folder is not None or os.path.isdir(INSTALLED):
        yield str(folder or INSTALLED)
        return
    from vectorplane.control.vppapi.api_json import write
    from vectorplane.control.vppapi.handlers import all_handlers
    from vectorplane.control.vppapi.schema.registry import load

    with tempfile.TemporaryDirectory(prefix="vectorplane-api-") as made:
        write(Path(made), load(), all_handlers())
        yield made
