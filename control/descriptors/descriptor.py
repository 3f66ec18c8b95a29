"""What the scheduler knows of a kind of items. How an operation is carried out is the backend's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vectorplane.control.descriptors.need import Need


def _nothing(item: Any) -> tuple[Any, ...]:
    return ()


def _never(old: Any, new: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One kind. ``needs``, ``provides`` and ``in_place`` get items of ``type``.

    ``rank`` puts kinds in an order in which their items are brought; needs go before it. ``provides``: names under
    which others may need such an item without knowing its key. ``in_place``: can the backend change ``old`` to
    ``new``, or must it be deleted and created? ``untold``: fields that a backend may hold without telling: of what we
    brought ourselves we know them, and another value is another item. ``goes_last``: nothing that comes is in the way
    of one that goes, so that what needs it now, and will not, can be changed first instead of being taken away with it.
    """

    type: type
    rank: int
    needs: Callable[[Any], tuple[Need, ...]] = _nothing
    provides: Callable[[Any], tuple[str, ...]] = _nothing
    in_place: Callable[[Any, Any], bool] = _never
    untold: tuple[str, ...] = ()
    goes_last: bool = False
