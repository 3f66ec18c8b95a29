"""The version of VPP that the engine behaves as, as it is told to whoever asks for one."""

from vectorplane import __version__

VPP_VERSION = f"26.10-rc0~vectorplane-{__version__}"
"""VPP's release first, so that programs that look at it take the right road; then our own."""
