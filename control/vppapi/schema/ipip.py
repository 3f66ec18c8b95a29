"""ipip.api of VPP 26.10: IP-in-IP tunnels. Notation: `parse`."""

TEXT = """
api ipip 2.0.2 0x4609caba
import vnet/interface_types.api
import vnet/ip/ip_types.api
import vnet/tunnel/tunnel_types.api
type ipip_tunnel u32 instance, address src, address dst, interface_index sw_if_index, u32 table_id,
  tunnel_encap_decap_flags flags, tunnel_mode mode, ip_dscp dscp

request ipip_add_tunnel 0x2ac399f5 ipip_tunnel tunnel
reply ipip_add_tunnel_reply 0x5383d31f i32 retval, interface_index sw_if_index
request ipip_del_tunnel 0xf9e6675e interface_index sw_if_index
reply ipip_del_tunnel_reply 0xe8d4e804 i32 retval
request ipip_6rd_add_tunnel 0xb9ec1863 u32 ip6_table_id, u32 ip4_table_id, ip6_prefix ip6_prefix,
  ip4_prefix ip4_prefix, ip4_address ip4_src, bool security_check, u8 tc_tos
reply ipip_6rd_add_tunnel_reply 0x5383d31f i32 retval, interface_index sw_if_index
request ipip_6rd_del_tunnel 0xf9e6675e interface_index sw_if_index
reply ipip_6rd_del_tunnel_reply 0xe8d4e804 i32 retval
request ipip_tunnel_dump 0xf9e6675e interface_index sw_if_index
reply ipip_tunnel_details 0xd31cb34e ipip_tunnel tunnel

dump ipip_tunnel_dump ipip_tunnel_details
"""
