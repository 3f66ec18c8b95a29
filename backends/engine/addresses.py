"""IPv4 addresses of an engine's interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class Addresses:
    """Addresses of all interfaces."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
