"""Mistakes in manifests."""

from __future__ import annotations

from collections.abc import Sequence

from vectorplane.control.config_error import ConfigError


class ManifestError(ConfigError):
    """Mistakes in several files: ``errors``, one for each file."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__(errors[0].file, [problem for error in errors for problem in error.problems])

    def lines(self) -> list[str]:
        """``FILE:LINE: FIELD: reason`` for each problem, file by file."""
        return [line for error in self.errors for line in error.lines()]
