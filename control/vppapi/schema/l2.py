"""l2.api of VPP 26.10: what programs ask of interfaces that are not bridged. Notation: `parse`."""

TEXT = """
api l2 3.3.0 0x1a53d6cc
import vnet/ip/ip_types.api
import vnet/ethernet/ethernet_types.api
import vnet/interface_types.api

request l2_interface_vlan_tag_rewrite 0x62cc0bbc interface_index sw_if_index, u32 vtr_op, u32 push_dot1q, u32 tag1,
  u32 tag2
reply l2_interface_vlan_tag_rewrite_reply 0xe8d4e804 i32 retval
"""
