"""VPP's start-up configuration: the words that VPP's own test framework passes, files, mistakes, garbage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorplane.control.startup import StartupConf, StartupError, parse_file, parse_text, parse_words
from vectorplane.control.startup.cpu import core_list

WORDS = [
    *("unix", "{", "nodaemon", "nosyslog", "", "full-coredump", "coredump-size unlimited", "runtime-dir"),
    *("/tmp/vpp-unittest-X", "cli-listen ", "/tmp/vpp-unittest-X/cli.sock", " ", "}"),
    *("api-trace", "{", "on", "}", "api-segment", "{", "prefix", "vpp-unittest-X", "}"),
    *("cpu", "{", "main-core", "0", "corelist-workers", "1,2", "}"),
    *("physmem", "{", "max-size", "32m", "}"),
    *("statseg", "{", "socket-name", "/tmp/vpp-unittest-X/stats.sock", "", "}"),
    *("socksvr", "{", "socket-name", "/tmp/vpp-unittest-X/api.sock", "}"),
    *("node { ", "", "}", "api-fuzz {", "off", "}", "plugins", "{", "plugin", "dpdk_plugin.so", "{", "disable", "}"),
    *("plugin", "unittest_plugin.so", "{", "enable", "}", "}"),
]
"""As VPP's test framework starts its vpp."""


def parse(text: str) -> StartupConf:
    return parse_text(text, uid=0, cwd="/here")


def test_words_of_vpps_test_framework() -> None:
    conf = parse_words(WORDS)
    assert conf.runtime_dir == "/tmp/vpp-unittest-X"
    assert conf.api_socket == "/tmp/vpp-unittest-X/api.sock"
    assert conf.stats_socket == "/tmp/vpp-unittest-X/stats.sock"
    assert conf.cli_socket == "/tmp/vpp-unittest-X/cli.sock"
    assert conf.unix.nodaemon and conf.unix.nosyslog and conf.unix.full_coredump and conf.unix.coredump_size == -1
    assert (conf.cpu.main_core, conf.cpu.worker_cores, conf.workers) == (0, (1, 2), 2)
    assert conf.ignored == ("api-trace", "api-segment", "physmem", "node", "api-fuzz", "plugins")


def test_the_line_of_the_parity_program() -> None:
    line = (
        "unix { nodaemon nosyslog runtime-dir /d cli-listen /d/cli.sock } api-segment { prefix parity1 } "
        "cpu { main-core 0 } physmem { max-size 32m } statseg { socket-name /d/stats.sock } "
        "socksvr { socket-name /d/api.sock } plugins { plugin dpdk_plugin.so { disable } "
        "plugin rdma_plugin.so { disable } }"
    )
    conf = parse_words(line.split())
    assert (conf.api_socket, conf.stats_socket, conf.cli_socket) == ("/d/api.sock", "/d/stats.sock", "/d/cli.sock")
    assert conf.workers == 0 and conf.cpu.main_core == 0


def test_defaults_are_vpps() -> None:
    root = parse("")
    assert (root.runtime_dir, root.cli_socket, root.cli_tcp) == ("/run/vpp", None, None)
    assert (root.api_socket, root.stats_socket) == ("/run/vpp/api.sock", "/run/vpp/stats.sock")
    user = parse_text("socksvr { default } statseg { default }", uid=1000, cwd="/here")
    assert user.api_socket == "/run/user/1000/vpp/api.sock" and user.statseg.update_interval == 10.0


def test_paths_without_a_directory_are_in_the_runtime_dir() -> None:
    conf = parse("unix { runtime-dir run cli-listen cli.sock } socksvr { socket-name a/../api2.sock }")
    assert conf.runtime_dir == "/here/run"
    assert conf.cli_socket == "/here/run/cli.sock" and conf.api_socket == "/here/run/api2.sock"
    assert parse("unix { use-current-dir }").api_socket == "/here/api.sock"


@pytest.mark.parametrize(
    ("listen", "socket", "tcp"),
    [
        ("localhost:5002", None, "localhost:5002"),
        ("tcp:0.0.0.0:1", None, "0.0.0.0:1"),
        ("unix:/a/b", "/a/b", None),
        ("abstract:x", "@x", None),
        ("@x", "@x", None),
        ("/a:b", "/a:b", None),
    ],
)
def test_kinds_of_cli_listen(listen: str, socket: str | None, tcp: str | None) -> None:
    conf = parse(f"unix {{ cli-listen {listen} }}")
    assert (conf.cli_socket, conf.cli_tcp) == (socket, tcp)


def test_keywords_run_together_as_vpps_own_test_of_the_counters_writes_them() -> None:
    conf = parse("statseg {size 64M} statseg { socket-name /s per-node-counters onupdate-interval 0.05}")
    assert conf.statseg.size == 64 << 20 and conf.statseg.per_node_counters
    assert conf.statseg.update_interval == 0.05 and conf.stats_socket == "/s"


def test_what_else_unix_knows() -> None:
    conf = parse(
        "unix { interactive log /l exec /first startup-config /e pidfile vpp.pid cli-prompt vpp2# nobanner gid 0 "
        "cli-history-limit 7 cli-pager-buffer-limit 8 poll-sleep-usec 9 cli-no-pager coredump-size 2g nocolor }"
    )
    u = conf.unix
    assert (u.log, u.exec_file, u.pidfile, u.cli_prompt) == ("/l", "/e", "/run/vpp/vpp.pid", "vpp2#")
    assert (u.cli_history_limit, u.cli_pager_buffer_limit, u.poll_sleep_usec, u.coredump_size) == (7, 8, 9, 2 << 30)
    assert u.interactive and u.nobanner and u.cli_no_pager and u.nocolor and u.gid == 0


def test_the_pid_file_is_in_the_runtime_dir() -> None:
    for path in ("/run/vpp/a/b.pid", "a/b.pid"):
        assert parse(f"unix {{ pidfile {path} }}").unix.pidfile == "/run/vpp/a/b.pid"
    with pytest.raises(StartupError, match="file /etc/x is not in runtime directory /run/vpp"):
        parse("unix { pidfile /etc/x }")
    with pytest.raises(StartupError, match=r"'\.\.' not allowed"):
        parse("unix { pidfile a/../../x }")
    conf = parse("unix { log l exec e runtime-dir /r }")
    assert (conf.unix.log, conf.unix.exec_file) == ("/here/l", "/r/e")


def test_buffers_and_cpu() -> None:
    conf = parse(
        "buffers { buffers-per-numa 65536 default data-size 2048 page-size default-hugepage layout packed numa 0 { } } "
        "cpu { workers 3 main-core 1 skip-cores 1 relative scheduler-policy fifo scheduler-priority 50 }"
    )
    assert (conf.buffers.per_numa, conf.buffers.data_size) == (65536, 2048)
    assert (conf.workers, conf.cpu.main_core, conf.cpu.worker_cores) == (3, 1, ())
    assert parse("cpu { main-core 0 coremask-workers 0xc }").cpu.worker_cores == (2, 3)


def test_acl_plugin() -> None:
    conf = parse(
        "acl-plugin { connection hash buckets 65536 connection hash memory 1g connection count max 1234 "
        "main heap size 2G hash lookup heap size 1m hash lookup hash buckets 8 hash lookup hash memory 3m "
        "use tuple merge 0 tuple merge split threshold 39 reclassify sessions 1 }"
    )
    assert (conf.acl.max_sessions, conf.acl.reclassify, conf.ignored) == (1234, True, ())
    assert (parse("acl-plugin { }").acl.max_sessions, parse("").acl.reclassify) == (None, False)


def test_a_file_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "startup.conf"
    path.write_bytes(b"# all of it\r\nunix {\n\tnodaemon # really }\n  runtime-dir /r\n}\napi-trace { on }\n#end")
    conf = parse_file(path)
    assert conf.unix.nodaemon and conf.runtime_dir == "/r" and conf.ignored == ("api-trace",)


def test_the_configuration_that_vpp_ships_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "startup.conf"
    path.write_text(
        "unix {\n  nodaemon\n  log /var/log/vpp/vpp.log\n  full-coredump\n  cli-listen /run/vpp/cli.sock\n}\n"
        "api-trace {\n## tracing\n  on\n}\napi-segment {\n  gid vpp\n}\nsocksvr {\n  default\n}\n"
        "cpu {\n  # main-core 1\n}\n"
    )
    conf = parse_file(path, uid=0)
    assert conf.api_socket == "/run/vpp/api.sock" and conf.cli_socket == "/run/vpp/cli.sock"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("foo { bar }", "unknown input `foo { bar }'"),
        ("foo", "unknown input `foo'"),
        ("unix", "expected { ... } behind unix"),
        ("unix { nodaemon", "a { without its }"),
        ("unix { nodaemon } }", "a } without its {"),
        ("unix { wat }", "unix: unknown input `wat'"),
        ("unix { " + "z" * 99 + " }", "unix: unknown input `" + "z" * 40 + "...'"),
        ("unix { cli-listen }", "unix: expected a value behind cli-listen"),
        ("unix { gid no-such-group-here }", "unix: there is no group no-such-group-here"),
        ("unix { coredump-size big }", "unix: expected a size such as 64M behind coredump-size"),
        ("unix { cli-history-limit x }", "unix: expected a number behind cli-history-limit"),
        ("socksvr { socket }", "socksvr: unknown input `socket'"),
        ("statseg { update-interval x }", "statseg: expected a number behind update-interval"),
        ("cpu { corelist-workers 1 }", "cpu: main-core must be specified"),
        ("cpu { skip-cores 1 }", "cpu: main-core must be specified"),
        ("cpu { main-core 0 corelist-workers 3-1 }", "cpu: expected a range of cores"),
        ("cpu { main-core 0 corelist-workers a }", "cpu: expected cores such as 2-3,5, got 'a'"),
        ("cpu { main-core 0 coremask-workers zz }", "cpu: expected a mask"),
        ("cpu { workers 1 workers 2 }", "cpu: number of 'workers' threads is already configured"),
        ("cpu { main-core 0 workers 1 corelist-workers 2 }", "cpu: core placement of 'workers' threads"),
        ("cpu { workers 999999999 }", "cpu: expected less than"),
        ("cpu { wrong 3 }", "cpu: unknown input `wrong 3'"),
        ("buffers { numa 0 x }", "buffers: expected { ... } behind numa"),
        ("acl-plugin { connection count 5 }", "acl-plugin: unknown input `connection count 5'"),
        ("acl-plugin { connection count max x }", "acl-plugin: expected a number behind connection count max"),
        ("acl-plugin { connection count max 16777217 }", "acl-plugin: connection count max: at most 16777216 sessions"),
        ("acl-plugin { main heap size x }", "acl-plugin: expected a size such as 64M behind main heap size"),
        ("a\0b", "a zero byte"),
        ("x" * ((1 << 18) + 1), "too large"),
    ],
)
def test_mistakes(text: str, reason: str) -> None:
    with pytest.raises(StartupError) as e:
        parse(text)
    assert str(e.value).startswith(reason) or reason in str(e.value)
    assert len(str(e.value)) < 200


def test_mistakes_in_a_file_name_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.conf"
    path.write_text("# one\nunix {\n  nodaemon\n  wat 5\n}\n")
    with pytest.raises(StartupError, match=f"^{path}:4: unix: unknown input `wat 5'$"):
        parse_file(path)
    path.write_text("unix { nodaemon }\nsocksvr {\n default\n")
    with pytest.raises(StartupError, match=f"^{path}:2: a {{ without its }}$"):
        parse_file(path)
    path.write_bytes(b"unix {\n\xff }")
    with pytest.raises(StartupError, match=f"^{path}:2: not UTF-8"):
        parse_file(path)
    with pytest.raises(StartupError, match="no such file"):
        parse_file(tmp_path / "none")
    with pytest.raises(StartupError, match="is a directory"):
        parse_file(tmp_path)


_WORDS = "unix cpu statseg socksvr buffers node workers main-core 0 7 socket-name corelist-workers 1-3 gid /a default"
_PIECES = st.lists(st.sampled_from([*"{}\\#,-@ \n\0é", *_WORDS.split(), "runtime-dir", "cli-listen"]), max_size=30).map(
    " ".join
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.one_of(st.text(max_size=60), _PIECES))
def test_garbage_is_refused_or_read_but_never_crashes(text: str) -> None:
    try:
        conf = parse(text)
    except StartupError as error:
        assert str(error)
    else:
        assert os.path.isabs(conf.runtime_dir) and (conf.cli_socket is None or conf.unix.cli_listen)


def test_core_lists() -> None:
    assert core_list("2-3,18-19,5") == (2, 3, 5, 18, 19)
    for bad in ("", "1,", "-1", "1-", "5000", "1 2"):
        with pytest.raises(ValueError, match="expected"):
            core_list(bad)
