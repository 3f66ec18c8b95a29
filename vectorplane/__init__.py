"""vectorplane: a vector-of-packets graph engine in the style of FD.io VPP, in Python compiled by numba.

The public names are loaded when they are first used, so that ``import vectorplane`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vectorplane.backends.engine.capture_device import CaptureDevice as CaptureDevice
    from vectorplane.backends.engine.engine import Engine as Engine
    from vectorplane.backends.engine.pg import PgDevice as PgDevice
    from vectorplane.backends.engine.replay import replay as replay
    from vectorplane.backends.engine.report import Report as Report
    from vectorplane.control.apply import apply as apply
    from vectorplane.control.config import Config as Config
    from vectorplane.control.config import load_config as load_config
    from vectorplane.control.config_error import ConfigError as ConfigError
    from vectorplane.dataplane.node import NodeType as NodeType
    from vectorplane.pcap.compare import compare as compare
    from vectorplane.pcap.errors import CaptureError as CaptureError
    from vectorplane.pcap.reader import CaptureReader as CaptureReader
    from vectorplane.pcap.writer import CaptureWriter as CaptureWriter

_WHERE = {
    "CaptureDevice": "backends.engine.capture_device",
    "CaptureError": "pcap.errors",
    "CaptureReader": "pcap.reader",
    "CaptureWriter": "pcap.writer",
    "Config": "control.config",
    "ConfigError": "control.config_error",
    "Engine": "backends.engine.engine",
    "NodeType": "dataplane.node",
    "PgDevice": "backends.engine.pg",
    "Report": "backends.engine.report",
    "apply": "control.apply",
    "compare": "pcap.compare",
    "load_config": "control.config",
    "replay": "backends.engine.replay",
}

__all__ = ["__version__", *sorted(_WHERE)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"vectorplane.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
