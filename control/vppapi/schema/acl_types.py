"""acl_types.api of VPP 26.10: rules of ACLs. Notation: `parse`."""

TEXT = """
api acl_types 1.0.0 0x878da4fa
import vnet/ip/ip_types.api
import vnet/ethernet/ethernet_types.api
enum acl_action u8 ACL_ACTION_API_DENY=0 ACL_ACTION_API_PERMIT=1 ACL_ACTION_API_PERMIT_REFLECT=2
type acl_rule acl_action is_permit, prefix src_prefix, prefix dst_prefix, ip_proto proto,
  u16 srcport_or_icmptype_first, u16 srcport_or_icmptype_last, u16 dstport_or_icmpcode_first,
  u16 dstport_or_icmpcode_last, u8 tcp_flags_mask, u8 tcp_flags_value
type macip_acl_rule acl_action is_permit, mac_address src_mac, mac_address src_mac_mask, prefix src_prefix
"""
