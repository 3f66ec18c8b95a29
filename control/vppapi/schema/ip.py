"""ip.api of VPP 26.10: tables, routes, multicast routes, path MTU, reassembly, punt. Notation: `parse`."""

TEXT = """
api ip 3.2.0 0xc55aec44
import vnet/interface_types.api
import vnet/fib/fib_types.api
import vnet/ethernet/ethernet_types.api
import vnet/mfib/mfib_types.api
enum ip_reass_type u32 IP_REASS_TYPE_FULL=0 IP_REASS_TYPE_SHALLOW_VIRTUAL=1
flags ip_flow_hash_config u32 IP_API_FLOW_HASH_SRC_IP=1 IP_API_FLOW_HASH_DST_IP=2 IP_API_FLOW_HASH_SRC_PORT=4
  IP_API_FLOW_HASH_DST_PORT=8 IP_API_FLOW_HASH_PROTO=16 IP_API_FLOW_HASH_REVERSE=32 IP_API_FLOW_HASH_SYMETRIC=64
  IP_API_FLOW_HASH_FLOW_LABEL=128
flags ip_flow_hash_config_v2 u32 IP_API_V2_FLOW_HASH_SRC_IP=1 IP_API_V2_FLOW_HASH_DST_IP=2
  IP_API_V2_FLOW_HASH_SRC_PORT=4 IP_API_V2_FLOW_HASH_DST_PORT=8 IP_API_V2_FLOW_HASH_PROTO=16
  IP_API_V2_FLOW_HASH_REVERSE=32 IP_API_V2_FLOW_HASH_SYMETRIC=64 IP_API_V2_FLOW_HASH_FLOW_LABEL=128
  IP_API_V2_FLOW_HASH_GTPV1_TEID=256
type ip_table u32 table_id, bool is_ip6, string[64] name
type ip_route u32 table_id, u32 stats_index, prefix prefix, u8 n_paths, fib_path[n_paths] paths
type ip_route_v2 u32 table_id, u32 stats_index, prefix prefix, u8 n_paths, u8 src, fib_path[n_paths] paths
type ip_mroute u32 table_id, mfib_entry_flags entry_flags, u32 rpf_id, mprefix prefix, u8 n_paths,
  mfib_path[n_paths] paths
type punt_redirect interface_index rx_sw_if_index, interface_index tx_sw_if_index, address nh
type punt_redirect_v2 interface_index rx_sw_if_index=4294967295, address_family af, u32 n_paths,
  fib_path[n_paths] paths
type ip_path_mtu u32 client_index, u32 context, u32 table_id, address nh, u16 path_mtu

request ip_table_add_del 0x0ffdaec0 bool is_add=true, ip_table table
reply ip_table_add_del_reply 0xe8d4e804 i32 retval
request ip_table_add_del_v2 0x14e5081f ip_table table, bool create_mfib=true, bool is_add=true
reply ip_table_add_del_v2_reply 0xe8d4e804 i32 retval
request ip_table_allocate 0xb9d2e09e ip_table table
reply ip_table_allocate_reply 0x1728303a i32 retval, ip_table table
request ip_table_dump 0x51077d14
request ip_table_replace_begin 0xb9d2e09e ip_table table
reply ip_table_replace_begin_reply 0xe8d4e804 i32 retval
request ip_table_replace_end 0xb9d2e09e ip_table table
reply ip_table_replace_end_reply 0xe8d4e804 i32 retval
request ip_table_flush 0xb9d2e09e ip_table table
reply ip_table_flush_reply 0xe8d4e804 i32 retval
reply ip_table_details 0xc79fca0f ip_table table
request ip_route_add_del 0xb8ecfe0d bool is_add=true, bool is_multipath, ip_route route
request ip_route_add_del_v2 0x521ef330 bool is_add=true, bool is_multipath, ip_route_v2 route
reply ip_route_add_del_reply 0x1992deab i32 retval, u32 stats_index
reply ip_route_add_del_v2_reply 0x1992deab i32 retval, u32 stats_index
request ip_route_dump 0xb9d2e09e ip_table table
request ip_route_v2_dump 0xd16f72e6 u8 src, ip_table table
reply ip_route_details 0xbda8f315 ip_route route
reply ip_route_v2_details 0xb09aa6c0 ip_route_v2 route
request ip_route_lookup 0x710d6471 u32 table_id, u8 exact, prefix prefix
request ip_route_lookup_v2 0x710d6471 u32 table_id, u8 exact, prefix prefix
reply ip_route_lookup_reply 0x5d8febcb i32 retval, ip_route route
reply ip_route_lookup_v2_reply 0x84cc9e03 i32 retval, ip_route_v2 route
request set_ip_flow_hash 0x084ee09e u32 vrf_id, bool is_ipv6, bool src, bool dst, bool sport, bool dport,
  bool proto, bool reverse, bool symmetric
reply set_ip_flow_hash_reply 0xe8d4e804 i32 retval
request set_ip_flow_hash_v2 0x6d132100 u32 table_id, address_family af, ip_flow_hash_config flow_hash_config
reply set_ip_flow_hash_v2_reply 0xe8d4e804 i32 retval
request set_ip_flow_hash_v3 0xb7876e07 u32 table_id, address_family af, ip_flow_hash_config_v2 flow_hash_config
reply set_ip_flow_hash_v3_reply 0xe8d4e804 i32 retval
request set_ip_flow_hash_router_id 0x03e4f48e u32 router_id
reply set_ip_flow_hash_router_id_reply 0xe8d4e804 i32 retval
request sw_interface_ip6_enable_disable 0xae6cfcfb interface_index sw_if_index, bool enable
reply sw_interface_ip6_enable_disable_reply 0xe8d4e804 i32 retval
request sw_interface_ip4_enable_disable 0xae6cfcfb interface_index sw_if_index, bool enable
reply sw_interface_ip4_enable_disable_reply 0xe8d4e804 i32 retval
request ip_mtable_dump 0x51077d14
request ip_mtable_details 0xb9d2e09e ip_table table
request ip_mroute_add_del 0x0dd7e790 bool is_add=true, bool is_multipath, ip_mroute route
reply ip_mroute_add_del_reply 0x1992deab i32 retval, u32 stats_index
request ip_mroute_dump 0xb9d2e09e ip_table table
reply ip_mroute_details 0xc5cb23fc ip_mroute route
reply ip_address_details 0xee29b797 interface_index sw_if_index, address_with_prefix prefix
request ip_address_dump 0x2d033de4 interface_index sw_if_index, bool is_ipv6
reply ip_unnumbered_details 0xcc59bd42 interface_index sw_if_index, interface_index ip_sw_if_index
request ip_unnumbered_dump 0xf9e6675e interface_index sw_if_index=4294967295
reply ip_details 0xeb152d07 interface_index sw_if_index, bool is_ipv6
request ip_dump 0x98d231ca bool is_ipv6
request mfib_signal_dump 0x51077d14
reply mfib_signal_details 0x6f4a4cfb interface_index sw_if_index, u32 table_id, mprefix prefix, u16 ip_packet_len,
  u8[256] ip_packet_data
request ip_punt_redirect 0x6580f635 punt_redirect punt, bool is_add=true
reply ip_punt_redirect_reply 0xe8d4e804 i32 retval
request ip_punt_redirect_dump 0x2d033de4 interface_index sw_if_index, bool is_ipv6
reply ip_punt_redirect_details 0x2cef63e7 punt_redirect punt
request add_del_ip_punt_redirect_v2 0x9e804227 bool is_add=true, punt_redirect_v2 punt
reply add_del_ip_punt_redirect_v2_reply 0xe8d4e804 i32 retval
request ip_punt_redirect_v2_dump 0xd817a484 interface_index sw_if_index, address_family af
reply ip_punt_redirect_v2_details 0x7ba42e1d punt_redirect_v2 punt
request ip_container_proxy_add_del 0x7df1dff1 prefix pfx, interface_index sw_if_index, bool is_add=true
reply ip_container_proxy_add_del_reply 0xe8d4e804 i32 retval
request ip_container_proxy_dump 0x51077d14
reply ip_container_proxy_details 0xa8085523 interface_index sw_if_index, prefix prefix
request ip_source_and_port_range_check_add_del 0x92a067e3 bool is_add=true, prefix prefix, u8 number_of_ranges,
  u16[32] low_ports, u16[32] high_ports, u32 vrf_id
reply ip_source_and_port_range_check_add_del_reply 0xe8d4e804 i32 retval
request ip_source_and_port_range_check_interface_add_del 0xe1ba8987 bool is_add=true, interface_index sw_if_index,
  u32 tcp_in_vrf_id, u32 tcp_out_vrf_id, u32 udp_in_vrf_id, u32 udp_out_vrf_id
reply ip_source_and_port_range_check_interface_add_del_reply 0xe8d4e804 i32 retval
request sw_interface_ip6_set_link_local_address 0x1c10f15f interface_index sw_if_index, ip6_address ip
reply sw_interface_ip6_set_link_local_address_reply 0xe8d4e804 i32 retval
request sw_interface_ip6_get_link_local_address 0xf9e6675e interface_index sw_if_index
reply sw_interface_ip6_get_link_local_address_reply 0xd16b7130 i32 retval, ip6_address ip
request ioam_enable 0x51ccd868 u16 id, bool seqno, bool analyse, bool pot_enable, bool trace_enable, u32 node_id
reply ioam_enable_reply 0xe8d4e804 i32 retval
request ioam_disable 0x6b16a45e u16 id
reply ioam_disable_reply 0xe8d4e804 i32 retval
request ip_reassembly_set 0x16467d25 u32 timeout_ms, u32 max_reassemblies, u32 max_reassembly_length,
  u32 expire_walk_interval_ms, bool is_ip6, ip_reass_type type
reply ip_reassembly_set_reply 0xe8d4e804 i32 retval
request ip_reassembly_get 0xea13ff63 bool is_ip6, ip_reass_type type
reply ip_reassembly_get_reply 0xd5eb8d34 i32 retval, u32 timeout_ms, u32 max_reassemblies,
  u32 max_reassembly_length, u32 expire_walk_interval_ms, bool is_ip6
request ip_reassembly_enable_disable 0xeb77968d interface_index sw_if_index, bool enable_ip4, bool enable_ip6,
  ip_reass_type type
reply ip_reassembly_enable_disable_reply 0xe8d4e804 i32 retval
request ip_local_reass_enable_disable 0x34e2ccc4 bool enable_ip4, bool enable_ip6
reply ip_local_reass_enable_disable_reply 0xe8d4e804 i32 retval
request ip_local_reass_get 0x51077d14
reply ip_local_reass_get_reply 0x3e93a702 i32 retval, bool ip4_is_enabled, bool ip6_is_enabled
request ip_path_mtu_update 0x10bbe5cb ip_path_mtu pmtu
reply ip_path_mtu_update_reply 0xe8d4e804 i32 retval
request ip_path_mtu_get 0xf75ba505 u32 cursor
reply ip_path_mtu_get_reply 0x53b48f5d i32 retval, u32 cursor
reply ip_path_mtu_details 0xac9539a7 ip_path_mtu pmtu
request ip_path_mtu_replace_begin 0x51077d14
reply ip_path_mtu_replace_begin_reply 0xe8d4e804 i32 retval
request ip_path_mtu_replace_end 0x51077d14
reply ip_path_mtu_replace_end_reply 0xe8d4e804 i32 retval

get ip_path_mtu_get ip_path_mtu_get_reply ip_path_mtu_details
dump ip_table_dump ip_table_details
dump ip_route_dump ip_route_details
dump ip_route_v2_dump ip_route_v2_details
dump ip_mtable_dump ip_mtable_details
dump ip_mroute_dump ip_mroute_details
dump ip_address_dump ip_address_details
dump ip_unnumbered_dump ip_unnumbered_details
dump ip_dump ip_details
dump mfib_signal_dump mfib_signal_details
dump ip_punt_redirect_dump ip_punt_redirect_details
dump ip_punt_redirect_v2_dump ip_punt_redirect_v2_details
dump ip_container_proxy_dump ip_container_proxy_details
"""
