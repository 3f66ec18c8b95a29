"""The debug CLI as a backend has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.base import BackendError
from vectorplane.control.debug_cli.errors import CliError

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def backend_lines(cli: DebugCli) -> Callable[[str], str]:
    """Runs a line while the engine's workers stand; raises BackendError with the CLI's text when it fails."""

    def line(text: str) -> str:
        with cli.engine.paused():
            try:
                return cli.run(text)
            except CliError as error:
                raise BackendError(error.text.rstrip("\n")) from None

    return line
