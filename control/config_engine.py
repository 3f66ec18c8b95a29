"""What a configuration may ask for that our engine cannot do, though another backend can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.config_device import SimSettings
from vectorplane.control.config_error import ConfigError, Path, Problem
from vectorplane.control.config_tunnel import TunnelSettings

if TYPE_CHECKING:
    from vectorplane.control.config import Config


def engine_problems(config: Config) -> list[Problem]:
    """One problem for each interface whose device only a real VPP has, or has so."""
    result = []
    for name, interface in config.interfaces.items():
        if isinstance(interface.device, TunnelSettings) and interface.device.src.version == 6:
            path: Path = ("interfaces", name, "device", "src")
            reason = "the engine has no tunnels over IPv6 yet: give this configuration to a real VPP (--backend vpp)"
            result.append(Problem(config.line(path), path, reason))
    return result


def refuse_what_the_engine_cannot(config: Config, file: str) -> None:
    """Raises ConfigError when there is something; ``file`` is the configuration's name for messages."""
    problems = engine_problems(config)
    if problems:
        raise ConfigError(file, problems)


def refuse_what_a_running_engine_cannot(config: Config, file: str) -> None:
    """As `refuse_what_the_engine_cannot`, for an engine in real time: cables between its ports need virtual time."""
    problems = engine_problems(config)
    for name, interface in config.interfaces.items():
        if isinstance(interface.device, SimSettings) and interface.device.link is not None:
            path: Path = ("interfaces", name, "device", "link")
            reason = "a running engine has real time, links between simulated ports need virtual time: use replay"
            problems.append(Problem(config.line(path), path, reason))
    if problems:
        raise ConfigError(file, problems)
