"""gso.api of VPP 26.10: cutting TCP into segments in software. Notation: `parse`."""

TEXT = """
api gso 1.0.0 0x81a73026
import vnet/interface_types.api

request feature_gso_enable_disable 0x5501adee interface_index sw_if_index, bool enable_disable
reply feature_gso_enable_disable_reply 0xe8d4e804 i32 retval
"""
