"""Abbreviations, longest match, help, several lines, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.debug_cli.conftest import failure
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.debug_cli.commands import commands
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.lines import command_lines, script_lines
from vectorplane.control.debug_cli.tree import Command, Tree
from vectorplane.control.debug_cli.words import Words


def small() -> Tree:
    """Four commands that print their name and their arguments."""

    def says(name: str) -> Command:
        return Command(name, f"help of {name}", lambda cli, words: f"{name}({words.take_rest()})")

    tree = Tree()
    tree.add(says(n) for n in ("show ip", "show ip fib", "show ip6 fib", "shutdown"))
    return tree


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("show ip fib", "show ip fib()"),
        ("sho ip f 10.0.0.0/8", "show ip fib(10.0.0.0/8)"),
        ("show ip x", "show ip(x)"),
        ("show ip", "show ip()"),
        ("show ip6 fi", "show ip6 fib()"),
        ("  shu\tnow ", "shutdown(now)"),
        ("show ip ?", "  show ip                                  help of show ip\n"
         "  show ip fib                              help of show ip fib\n"),
        ("show ip fib?", "  show ip fib                              help of show ip fib\n"),
        ("help show ip fib", "help of show ip fib\n"),
        ("help show ip6", "  fib                            help of show ip6 fib\n"),
        ("shutdown {a b}", "shutdown(a b)"),
    ],
)  # fmt: skip
def test_finds_the_command(bare: DebugCli, line: str, printed: str) -> None:
    assert small().run(bare, Words(line)) == printed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sh ip", "unknown input `sh ip'"),
        ("foo", "unknown input `foo'"),
        ("show", "show: unknown input `'"),
        ("show foo bar", "show: unknown input `foo bar'"),
        ("show ipx fib", "show: unknown input `ipx fib'"),
        ("show ip6 fibx", "show ip6: unknown input `fibx'"),
        ("10.0.0.1", "unknown input `10.0.0.1'"),
        (f"show {'x' * 40}", f"show: unknown input `{'x' * 30}...'"),
        ("shutdown {a", "shutdown: unbalanced braces in `{a'"),
        ("help nothing", "unknown input `nothing'"),
    ],
)
def test_names_what_is_unknown(bare: DebugCli, line: str, message: str) -> None:
    with pytest.raises(CliError) as caught:
        small().run(bare, Words(line))
    assert caught.value.message == message


def test_completion() -> None:
    tree = small()
    assert tree.complete("") == ["show", "shutdown"]
    assert tree.complete("sho") == ["show"]
    assert tree.complete("show i") == ["ip", "ip6"]
    assert tree.complete("show ip ") == ["fib"]
    assert tree.complete("nothing at all") == []


def test_a_path_is_there_once() -> None:
    tree = small()
    with pytest.raises(ValueError, match="two commands shutdown"):
        tree.add([Command("shutdown", "", lambda cli, words: "")])


def test_every_command_has_help_and_answers_to_a_question_mark(bare: DebugCli) -> None:
    for command in commands():
        assert command.help
        assert f"  {command.path:<40} {command.help}\n" in bare.run(f"{command.path} ?")


def test_several_lines_end_at_the_first_mistake(bare: DebugCli) -> None:
    assert bare.run("echo a\n# comment\n\ncomment { nothing }\necho b\n") == "a\nb\n"
    with pytest.raises(CliError) as caught:
        bare.run("echo a\nnonsense\necho b")
    assert (caught.value.printed, caught.value.message) == ("a\n", "unknown input `nonsense'")
    assert str(caught.value) == "a\nunknown input `nonsense'\n"
    assert bare.run("echo a\nquit\necho b") == "a\n"
    assert bare.run("") == ""


def test_lines_are_kept_together_by_braces() -> None:
    assert list(command_lines("a {\n b\n}\nc")) == ["a {\n b\n}", "c"]
    assert list(command_lines("a }\nb")) == ["a }", "b"]
    assert list(script_lines("a # b\n#c\nd \\\ne\n")) == ["a", "d  e"]


def test_a_file_is_executed(bare: DebugCli, tmp_path: Path) -> None:
    script, other = tmp_path / "a.cli", tmp_path / "b.cli"
    other.write_text("create loopback interface # loop0\nset interface state loop0 up\n")
    script.write_text(f"echo begin\nexec {other}\necho end\n")
    assert bare.run(f"exec {script}") == "begin\nloop0\nend\n"
    assert bare.engine.interfaces.is_up(bare.engine.interfaces["loop0"].sw_if_index)
    script.write_text("echo begin\nset interface state nothing up\necho end\n")
    assert failure(bare, f"exec {script}") == (
        "begin\nexec: CLI line error: set interface state: unknown interface `nothing up'\n"
    )


def test_files_that_cannot_be_executed(bare: DebugCli, tmp_path: Path) -> None:
    loop, empty, binary = tmp_path / "loop", tmp_path / "empty", tmp_path / "binary"
    loop.write_text(f"exec {loop}\n")
    empty.touch()
    binary.write_bytes(b"\xff\xfe\x00")
    assert "more than 8 deep" in failure(bare, f"exec {loop}")
    assert failure(bare, f"exec {empty}") == f"exec: empty file `{empty}'\n"
    assert failure(bare, f"exec {binary}") == f"exec: `{binary}' is not a text file\n"
    assert failure(bare, f"exec {tmp_path}") == f"exec: not a regular file `{tmp_path}'\n"
    assert failure(bare, f"exec {tmp_path}/none").startswith(f"exec: failed to open `{tmp_path}/none': No such file")
    assert failure(bare, "exec") == "exec: expecting file name, got `'\n"
