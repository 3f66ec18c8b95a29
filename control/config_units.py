"""Quantities as people write them: ``10 Gbit/s``, ``5 us``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

_SCALE = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_TIME = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(?:bit/s|bps)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s)")


def _rate(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not (rate := int(Decimal(match[1]) * _SCALE[match[2]])):
        raise ValueError(f"expected a rate in bits a second such as 10G or 2.5 Gbit/s, got {value!r}")
    return rate


def _duration(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a time such as 500ns, 10us, 1.5ms or 2s, got {value!r}")
    return int(Decimal(match[1]) * _TIME[match[2]])


Rate = Annotated[int, BeforeValidator(_rate)]
"""Bits a second."""
Duration = Annotated[int, BeforeValidator(_duration)]
"""Nanoseconds."""
