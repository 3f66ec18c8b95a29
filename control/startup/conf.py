"""The start-up configuration as a whole: its sections in any order, the same one perhaps several times."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from vectorplane.control.startup.acl import AclPlugin
from vectorplane.control.startup.sections import IGNORED, SECTIONS, Buffers, Cpu, Socksvr, Statseg, Unix
from vectorplane.control.startup.text import Cursor, Source, StartupError

MAX_BYTES = 1 << 18
"""As in VPP."""


@dataclass
class StartupConf:
    """What was configured; the sections' fields are in `sections`. Paths are absolute.

    ``ignored`` names, in order, the sections that are valid for VPP and mean nothing here.
    """

    unix: Unix = field(default_factory=Unix)
    statseg: Statseg = field(default_factory=Statseg)
    socksvr: Socksvr = field(default_factory=Socksvr)
    cpu: Cpu = field(default_factory=Cpu)
    buffers: Buffers = field(default_factory=Buffers)
    acl: AclPlugin = field(default_factory=AclPlugin)
    ignored: tuple[str, ...] = ()
    runtime_dir: str = ""
    """Where files go that have no directory of their own; VPP makes it and changes into it."""
    api_socket: str = ""
    stats_socket: str = ""
    cli_socket: str | None = None
    """A path, or `@name` for an abstract socket; None: no CLI socket was asked for (or one on TCP)."""
    cli_tcp: str | None = None
    """`host:port` when the CLI was asked for there."""

    @property
    def workers(self) -> int:
        """Number of worker threads beside the main one; 0: the main thread does it all."""
        return self.cpu.workers

    def resolve(self, uid: int, cwd: str) -> None:
        """Fill in the paths that follow from the sections, by VPP's rules."""
        unix = self.unix
        runtime = unix.runtime_dir or ("/run/vpp" if uid == 0 else f"/run/user/{uid}/vpp")
        self.runtime_dir = cwd if unix.use_current_dir else os.path.join(cwd, runtime)
        self._files(cwd)
        self.api_socket = self._path(self.socksvr.socket_name or "api.sock")
        self.stats_socket = self._path(self.statseg.socket_name or "stats.sock")
        listen = unix.cli_listen
        if listen is not None:
            tcp = listen.startswith("tcp:") or (":" in listen and not listen.startswith(("/", "unix:", "abstract:")))
            if tcp:
                self.cli_tcp = listen.removeprefix("tcp:")
            else:
                self.cli_socket = self._path(listen)

    def _files(self, cwd: str) -> None:
        """Make the unix section's files absolute: VPP opens its log before it changes into the runtime directory."""
        unix = self.unix
        if unix.log is not None:
            unix.log = os.path.join(cwd, unix.log)
        if unix.exec_file is not None:
            unix.exec_file = os.path.join(self.runtime_dir, unix.exec_file)
        if unix.pidfile is not None:
            path = os.path.join(self.runtime_dir, unix.pidfile)
            if unix.pidfile.startswith("../") or "/../" in unix.pidfile:
                raise StartupError("unix: pidfile: '..' not allowed in runtime path")
            if not path.startswith(self.runtime_dir):
                raise StartupError(f"unix: pidfile: file {path} is not in runtime directory {self.runtime_dir}")
            unix.pidfile = path

    def _path(self, name: str) -> str:
        if name.startswith("abstract:"):
            return "@" + name.removeprefix("abstract:")
        if name.startswith("@"):
            return name
        return os.path.normpath(os.path.join(self.runtime_dir, name.removeprefix("unix:")))


def parse_text(text: str, file: str | None = None, *, uid: int | None = None, cwd: str | None = None) -> StartupConf:
    """The configuration in ``text`` (without comments); ``uid`` and ``cwd`` default to the process's own.

    Raises:
        StartupError: unknown sections or settings, braces that don't match, bad values.
    """
    source = Source(text, file)
    if len(text) > MAX_BYTES:
        raise source.error(0, "the startup configuration is too large")
    if "\0" in text:
        raise source.error(text.index("\0"), "a zero byte in the startup configuration")
    conf = StartupConf()
    top = Cursor(source, 0, len(text))
    while top.more():
        at = top.at
        name = top.word() or ""
        part = top.part(name)
        if name in SECTIONS and part is not None:
            SECTIONS[name](conf, part)
        elif name in IGNORED and part is not None:
            conf.ignored += (name,)
        elif part is None and (name in SECTIONS or name in IGNORED):
            raise source.error(at, f"expected {{ ... }} behind {name}")
        else:
            top.at = at
            raise top.unknown()
    conf.cpu.check(source)
    conf.resolve(os.geteuid() if uid is None else uid, os.getcwd() if cwd is None else cwd)
    return conf


def parse_words(words: Sequence[str], *, uid: int | None = None, cwd: str | None = None) -> StartupConf:
    """The configuration in the words of a command line, joined with spaces as VPP does. Raises StartupError."""
    return parse_text(" ".join(words), uid=uid, cwd=cwd)


def without_comments(text: str) -> str:
    """``text`` with what stands behind each # left out; lines keep their numbers."""
    return "\n".join(line.partition("#")[0] for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def parse_file(path: str | os.PathLike[str], *, uid: int | None = None, cwd: str | None = None) -> StartupConf:
    """The configuration in a file. Raises StartupError, naming the file's line; also when it can't be read."""
    file = os.fspath(path)
    try:
        with open(file, "rb") as f:
            data = f.read(MAX_BYTES + 1)
    except OSError as error:
        raise StartupError(f"{file}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > MAX_BYTES:
        raise StartupError(f"{file}: the startup configuration is too large")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise StartupError(f"{file}:{data.count(10, 0, error.start) + 1}: not UTF-8: byte {error.start}") from None
    return parse_text(without_comments(text), file, uid=uid, cwd=cwd)
