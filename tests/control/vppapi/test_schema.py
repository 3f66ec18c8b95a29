"""The schema: it agrees with VPP's own definitions, is whole, and gives files that vpp_papi loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vpp_papi import VPPApiJSONFiles

from tests.replaying import shared
from vectorplane.control.vppapi import api_json
from vectorplane.control.vppapi.handlers import all_handlers
from vectorplane.control.vppapi.message_ids import MessageIds
from vectorplane.control.vppapi.schema.model import SchemaError
from vectorplane.control.vppapi.schema.parse import parse
from vectorplane.control.vppapi.schema.registry import Registry, load

REGISTRY = load()
FILES = sorted(REGISTRY.files)


def _plain(field: list[Any]) -> list[Any]:
    """A field without what does not concern its bytes (which member of a union is meant)."""
    return [x for x in field if not isinstance(x, dict) or "default" in x]


def _definitions(rows: list[Any]) -> dict[str, Any]:
    return {row[0]: [_plain(x) for x in row[1:] if isinstance(x, list)] for row in rows}


@pytest.mark.parametrize("name", FILES)
def test_agrees_with_vpp(name: str) -> None:
    theirs = json.loads((shared("vpp-api-json") / f"{name}.api.json").read_text())
    ours = api_json.describe(REGISTRY.files[name], REGISTRY, REGISTRY.services.keys())
    for kind in ("types", "unions", "enums", "enumflags"):
        described, there = _definitions(ours[kind]), _definitions(theirs[kind])
        assert described.items() <= there.items(), kind
    assert {e[0]: e[-1] for e in ours["enums"]}.items() <= {e[0]: e[-1] for e in theirs["enums"]}.items()
    assert ours["aliases"].items() <= theirs["aliases"].items()
    assert _definitions(ours["messages"]).items() <= _definitions(theirs["messages"]).items()
    crcs = {m[0]: m[-1]["crc"] for m in theirs["messages"]}
    assert all(crcs[m[0]] == m[-1]["crc"] for m in ours["messages"])
    assert ours["services"].items() <= theirs["services"].items()
    assert (ours["options"], ours["vl_api_version"]) == (theirs["options"], theirs["vl_api_version"])


@pytest.mark.parametrize("name", FILES)
def test_places_of_messages_are_vpps(name: str) -> None:
    """The id of a message is the first one of its file and its place there; so the places must be VPP's."""
    theirs = [m[0] for m in json.loads((shared("vpp-api-json") / f"{name}.api.json").read_text())["messages"]]
    ours = list(REGISTRY.files[name].messages)
    assert ours == theirs


def test_nothing_is_missing() -> None:
    REGISTRY.check()
    assert set(all_handlers()) <= set(REGISTRY.services)


def test_ids_that_clients_take_for_granted() -> None:
    ids = MessageIds(REGISTRY, all_handlers()).by_name
    assert (ids["sockclnt_create"], ids["sockclnt_create_reply"]) == (15, 16)
    assert len(set(ids.values())) == len(ids)


def test_only_what_is_served_is_in_the_table() -> None:
    ids = MessageIds(REGISTRY, ["want_interface_events", "ip_path_mtu_get"]).by_name
    assert set(ids) == {
        "sockclnt_create",
        "sockclnt_create_reply",
        "sockclnt_delete",
        "sockclnt_delete_reply",
        "want_interface_events",
        "want_interface_events_reply",
        "sw_interface_event",
        "ip_path_mtu_get",
        "ip_path_mtu_get_reply",
        "ip_path_mtu_details",
    }


def test_vpp_papi_loads_what_is_written(tmp_path: Path) -> None:
    written = api_json.write(tmp_path / "api", REGISTRY, all_handlers())
    _, messages, services = VPPApiJSONFiles.load_api(apidir=str(tmp_path / "api"))
    ids = MessageIds(REGISTRY, all_handlers()).by_name
    assert set(messages) == set(ids)
    assert all(messages[name].crc == REGISTRY.messages[name].crc for name in ids)
    assert set(all_handlers()) <= set(services)
    assert {p.name for p in written} == {p.name for p in (tmp_path / "api").iterdir()}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("api a 1.0.0 0x1\nnonsense x", "what is"),
        ("api a 1.0.0 0x1\ntype t no_such x", "type no_such is not described"),
        ("api a 1.0.0 0x1\ntype t u8[n] x, u32 n", "no field n before it"),
        ("api a 1.0.0 0x1\nrequest t_dump 0x1\ndump t_dump t_details", "t_details is not described"),
    ],
)
def test_a_mistake_in_the_schema_is_found(text: str, complaint: str) -> None:
    with pytest.raises(SchemaError, match=complaint):
        Registry([parse(text)]).check()
