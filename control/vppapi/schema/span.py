"""span.api of VPP 26.10: mirroring of what an interface sees. Notation: `parse`."""

TEXT = """
api span 2.0.0 0x34ee02b
import vnet/interface_types.api
enum span_state u32 SPAN_STATE_API_DISABLED=0 SPAN_STATE_API_RX=1 SPAN_STATE_API_TX=2 SPAN_STATE_API_RX_TX=3

request sw_interface_span_enable_disable 0x23ddd96b interface_index sw_if_index_from, interface_index sw_if_index_to,
  span_state state, bool is_l2
reply sw_interface_span_enable_disable_reply 0xe8d4e804 i32 retval
request sw_interface_span_dump 0xd6cf0c3d bool is_l2
reply sw_interface_span_details 0x8a20e79f interface_index sw_if_index_from, interface_index sw_if_index_to,
  span_state state, bool is_l2

dump sw_interface_span_dump sw_interface_span_details
"""
