"""gre.api of VPP 26.10: GRE tunnels. Notation: `parse`."""

TEXT = """
api gre 2.2.0 0x1bfeec2
import vnet/interface_types.api
import vnet/tunnel/tunnel_types.api
import vnet/ip/ip_types.api
enum gre_tunnel_type u8 GRE_API_TUNNEL_TYPE_L3=0 GRE_API_TUNNEL_TYPE_TEB=1 GRE_API_TUNNEL_TYPE_ERSPAN=2
type gre_tunnel gre_tunnel_type type, tunnel_mode mode, tunnel_encap_decap_flags flags, u16 session_id, u32 instance,
  u32 outer_table_id, interface_index sw_if_index, address src, address dst
type gre_tunnel_v2 gre_tunnel_type type, tunnel_mode mode, tunnel_encap_decap_flags flags, u16 session_id,
  u32 instance, u32 outer_table_id, interface_index sw_if_index, address src, address dst, u32 key

request gre_tunnel_add_del 0xa27d7f17 bool is_add, gre_tunnel tunnel
reply gre_tunnel_add_del_reply 0x5383d31f i32 retval, interface_index sw_if_index
request gre_tunnel_add_del_v2 0x7d9576de bool is_add, gre_tunnel_v2 tunnel
reply gre_tunnel_add_del_v2_reply 0x5383d31f i32 retval, interface_index sw_if_index
request gre_tunnel_dump 0xf9e6675e interface_index sw_if_index
reply gre_tunnel_dump_reply 0xe8d4e804 i32 retval
request gre_tunnel_dump_v2 0xf9e6675e interface_index sw_if_index
reply gre_tunnel_dump_v2_reply 0xe8d4e804 i32 retval
reply gre_tunnel_details 0x24435433 gre_tunnel tunnel
reply gre_tunnel_details_v2 0x65521177 gre_tunnel_v2 tunnel
request gre_tunnel_v2_dump 0xf9e6675e interface_index sw_if_index
reply gre_tunnel_v2_dump_reply 0xe8d4e804 i32 retval
reply gre_tunnel_v2_details 0x65521177 gre_tunnel_v2 tunnel

events gre_tunnel_dump_v2 gre_tunnel_details_v2
dump gre_tunnel_dump gre_tunnel_details
dump gre_tunnel_v2_dump gre_tunnel_v2_details
"""
