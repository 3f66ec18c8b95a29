"""VPP's start-up configuration (`unix { ... } socksvr { ... }`), from argv words or a file."""

from vectorplane.control.startup.conf import StartupConf, parse_file, parse_text, parse_words
from vectorplane.control.startup.text import StartupError

__all__ = ["StartupConf", "StartupError", "parse_file", "parse_text", "parse_words"]
