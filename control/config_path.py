"""One way to a destination, as routes and L3 cross-connects have them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from vectorplane.control.config_types import Address, InterfaceName, Model, TableId


class Path(Model):
    """One way to a destination.

    ``via`` and ``interface``: a neighbour there. ``via`` alone: a next hop that is looked up itself (recursive, in
    the route's table). ``interface`` alone: the destinations are neighbours there. ``lookup``: look up
    again in that table.
    """

    via: Address | None = None
    interface: InterfaceName | None = None
    lookup: TableId | None = None
    weight: Annotated[int, Field(ge=1, le=255)] = 1
    preference: Annotated[int, Field(ge=0, le=255)] = 0

    @model_validator(mode="after")
    def _one_way(self) -> Path:
        if self.lookup is not None and (self.via is not None or self.interface is not None):
            raise ValueError("lookup goes with neither via nor interface")
        if self.lookup is None and self.via is None and self.interface is None:
            raise ValueError("expected via, interface or lookup")
        return self
