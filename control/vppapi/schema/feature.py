"""feature.api of VPP 26.10: whether a feature is on, on an interface. Notation: `parse`."""

TEXT = """
api feature 1.0.2 0x30d6f180
import vnet/interface_types.api

request feature_enable_disable 0x7531c862 interface_index sw_if_index, bool enable, string[64] arc_name,
  string[64] feature_name
reply feature_enable_disable_reply 0xe8d4e804 i32 retval
request feature_is_enabled 0x55db09e2 string[64] arc_name, string[64] feature_name, interface_index sw_if_index
request feature_is_enabled_reply 0x03f284b5 i32 retval, bool is_enabled
"""
