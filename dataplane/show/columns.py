"""How VPP lays out columns and numbers."""

from __future__ import annotations


def centre(value: object, width: int) -> str:
    """Text in the middle of its column; an odd space goes to the left, what is too long is cut off (VPP's ``%=``)."""
    text = str(value)[:width]
    spare = max(0, width - len(text))
    return " " * (spare - spare // 2) + text + " " * (spare // 2)


def scientific(value: float, digits: int) -> str:
    """``1.53e2``: the exponent without padding."""
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def thread_name(worker: int) -> str:
    """What VPP would call this worker's thread."""
    return "vpp_main" if worker == 0 else f"vpp_wk_{worker - 1}"
