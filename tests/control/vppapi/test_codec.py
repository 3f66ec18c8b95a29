"""The codec against vpp_papi's own serializer, for every message described, and against damage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vpp_papi import VPPApiJSONFiles

from tests.control.vppapi.json_of import all_json
from vectorplane.control.vppapi.codec import Codec, CodecError
from vectorplane.control.vppapi.codec_values import LazyList
from vectorplane.control.vppapi.schema.model import Field, SchemaError
from vectorplane.control.vppapi.schema.registry import load

REGISTRY = load()
CODEC = Codec(REGISTRY)
MESSAGES = sorted({name for service in REGISTRY.services.values() for name in service.names})
"""All but those that no service has, which VPP never sends."""
SETTINGS = settings(derandomize=True, deadline=None, max_examples=4)
MANY = settings(SETTINGS, max_examples=300)
RANGES = {f"{sign}{bits}": bits for sign in "ui" for bits in (8, 16, 32, 64)}


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """vpp_papi's serializers by message."""
    messages, _ = VPPApiJSONFiles.process_json_array_str(all_json(REGISTRY))
    return messages


def value(type_: str) -> st.SearchStrategy[Any]:
    """Any value of a type, in the form that both sides take: what differs is made alike by `for_them`."""
    if type_ in RANGES:
        bits = RANGES[type_]
        low, high = (0, 1 << bits) if type_[0] == "u" else (-(1 << bits - 1), 1 << bits - 1)
        return st.integers(low, high - 1)
    if type_ == "bool":
        return st.booleans()
    if type_ == "f64":
        return st.floats(allow_nan=False)
    described = REGISTRY.type(type_)
    if described.kind == "type":
        return fields(described.fields)
    if described.kind == "union":
        return st.binary(min_size=16, max_size=16)
    return field_value(Field(described.base, "", length=described.length))


def text(most: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=most)


def field_value(f: Field) -> st.SearchStrategy[Any]:
    if f.type == "string":
        return text(f.length - 1 if f.length is not None else 40)
    if f.type == "u8" and f.length is not None:
        return st.binary(min_size=f.length, max_size=f.length)
    if f.type == "u8" and f.count is not None:
        return st.binary(max_size=9)
    if f.length is not None:
        return st.lists(value(f.type), min_size=f.length, max_size=f.length)
    return st.lists(value(f.type), max_size=3) if f.count is not None else value(f.type)


def fields(described: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """A dict of all fields; the counts are those of the arrays."""

    def counted(values: dict[str, Any]) -> dict[str, Any]:
        return values | {f.count: len(values[f.name]) for f in described if f.count is not None}

    return st.fixed_dictionaries({f.name: field_value(f) for f in described}).map(counted)


def for_them(type_: str, ours: Any) -> Any:
    """Our value as vpp_papi wants it: unions as dicts."""
    if isinstance(ours, list):
        return [for_them(type_, v) for v in ours]
    if type_ not in REGISTRY.types:
        return ours
    described = REGISTRY.types[type_]
    if described.kind == "union":
        largest = max(described.fields, key=lambda f: REGISTRY.type(f.type).length or 0)
        return {largest.name: ours}
    if described.kind == "type":
        return {f.name: for_them(f.type, ours[f.name]) for f in described.fields}
    return for_them(described.base, ours) if described.length is None else ours


def same(ours: Any, them: Any) -> bool:
    """Are two decoded values the same? A union is a tuple of its members to vpp_papi, bytes to us."""
    if isinstance(ours, bytes):
        return ours == (max(them, key=len) if isinstance(them, tuple) else bytes(them))
    if isinstance(ours, (tuple, list, LazyList)):
        return len(ours) == len(them) and all(map(same, ours, them))
    return bool(ours == them)


@pytest.mark.parametrize("name", MESSAGES)
def test_both_ways_as_vpp_papi(name: str, theirs: dict[str, Any]) -> None:
    message, witness = REGISTRY.messages[name], theirs[name]
    encode, decode = CODEC.encoder(name, 0x1234), CODEC.decoder(name)

    @SETTINGS
    @given(fields(message.fields[1:]))
    def check(values: dict[str, Any]) -> None:
        packed = witness.pack(
            {"_vl_msg_id": 0x1234} | {f.name: for_them(f.type, values[f.name]) for f in message.fields[1:]}
        )
        assert encode(values) == packed
        ours = decode(packed)
        them, _ = witness.unpack(packed, ntc=True)
        assert same(ours, them[1:])
        assert encode(ours) == packed  # what was decoded can be sent on
        assert decode(packed + b"more") == ours
        for end in {0, 1, len(packed) // 2, len(packed) - 1}:
            with pytest.raises(CodecError, match=r"message ends|are left"):
                decode(packed[:end])

    check()


def test_minus_zero_keeps_its_sign(theirs: dict[str, Any]) -> None:
    name = "sw_interface_ip6nd_ra_details"
    packed = CODEC.encoder(name, 1)({"initial_adverts_interval": -0.0})
    them, _ = theirs[name].unpack(packed, ntc=True)
    assert str(them.initial_adverts_interval) == "-0.0"


@MANY
@given(st.sampled_from(sorted(REGISTRY.messages)), st.binary(max_size=300))
def test_garbage_is_decoded_or_refused(name: str, data: bytes) -> None:
    try:
        decoded = CODEC.decoder(name)(data)
    except CodecError as e:
        assert str(e)
    else:
        assert len(CODEC.encoder(name, 1)(decoded)) <= max(len(data), 1) + 300


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("ip_route_add_del", bytes(10), "ip_route_add_del.is_add"),
        (
            "ip_route_add_del",
            bytes(38) + b"\x02" + bytes(167),
            "ip_route.paths: 2 items of 167 bytes, 167 bytes are left",
        ),
        (
            "cli_inband",
            bytes(10) + b"\xff\xff\xff\xff" + b"show",
            "cli_inband.cmd: a string of 4294967295 bytes, 4 are",
        ),
        ("cli_inband", bytes(12), "cli_inband.cmd: the message ends within the string's length"),
        ("api_versions_reply", bytes(10) + b"\xff\xff\xff\xff", "api_versions_reply.api_versions: 4294967295 items"),
        ("control_ping", bytes(5), "control_ping.client_index"),
    ],
)
def test_malformed_messages_name_the_field(name: str, data: bytes, complaint: str) -> None:
    with pytest.raises(CodecError) as e:
        CODEC.decoder(name)(data)
    assert complaint in str(e.value)


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        ("control_ping_reply", {"retvall": 1}, "control_ping_reply has no field retvall"),
        ("control_ping_reply", {"retval": 1 << 40}, "control_ping_reply.retval = 1099511627776"),
        ("control_ping_reply", {"retval": "text"}, "control_ping_reply.retval = 'text'"),
        ("sw_interface_details", {"l2_address": bytes(7)}, "sw_interface_details.l2_address"),
        ("sw_interface_details", {"mtu": [1, 2, 3, 4, 5]}, "5 items, there is room for 4"),
        ("ip_route_details", {"route": {"paths": [{"nh": {"address": bytes(17)}}]}}, "fib_path_nh.address"),
        ("ip_route_details", {"route": {"paths": [{}] * 256}}, "ip_route.n_paths = 256"),
        ("ip_route_details", {"route": 7}, "ip_route: a dict or"),
        ("ip_route_details", {"route": {"paths": 7}}, "ip_route.paths"),
        ("cli_inband_reply", {"reply": 7}, "cli_inband_reply.reply"),
    ],
)
def test_values_that_do_not_fit_name_the_field(name: str, values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CodecError) as e:
        CODEC.encoder(name, 1)(values)
    assert complaint in str(e.value)


def test_missing_fields_are_empty() -> None:
    for name in REGISTRY.messages:
        packed = CODEC.encoder(name, 0)({})
        assert not any(packed), name


def test_short_values_are_filled_up_and_long_strings_cut() -> None:
    encode, decode = CODEC.encoder("sw_interface_details", 1), CODEC.decoder("sw_interface_details")
    decoded = decode(encode({"interface_name": "x" * 100, "tag": "é", "mtu": [9000], "l2_address": b"\x02"}))
    assert decoded.interface_name == "x" * 63
    assert decoded.tag == "?"
    assert decoded.mtu == [9000, 0, 0, 0]
    assert decoded.l2_address == b"\x02\0\0\0\0\0"


def test_labels_are_a_list() -> None:
    decode, encode = CODEC.decoder("ip_route_add_del"), CODEC.encoder("ip_route_add_del", 1)
    labels = [{"label": n, "ttl": 64} for n in range(3)]
    (path,) = decode(encode({"route": {"paths": [{"n_labels": 3, "label_stack": labels}]}})).route.paths
    assert [x.label for x in path.label_stack] == [0, 1, 2, *[0] * 13]
    assert path.label_stack[1].ttl == path.label_stack[-15].ttl == 64
    assert len(path.label_stack[:3]) == 3 and path.label_stack == list(path.label_stack)
    with pytest.raises(IndexError):
        path.label_stack[16]


def test_what_is_not_described() -> None:
    with pytest.raises(SchemaError, match="no_such"):
        CODEC.decoder("no_such")
