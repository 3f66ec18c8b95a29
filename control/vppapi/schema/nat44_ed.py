"""nat44_ed.api of VPP 26.10: NAT44, endpoint-dependent. Notation: `parse`."""

TEXT = """
api nat44_ed 5.5.0 0x6f9bc302
import vnet/ip/ip_types.api
import vnet/interface_types.api
import plugins/nat/lib/nat_types.api
enum nat44_config_flags u8 NAT44_IS_ENDPOINT_INDEPENDENT=0 NAT44_IS_ENDPOINT_DEPENDENT=1
  NAT44_IS_STATIC_MAPPING_ONLY=2 NAT44_IS_CONNECTION_TRACKING=4 NAT44_IS_OUT2IN_DPO=8
type nat44_lb_addr_port ip4_address addr, u16 port, u8 probability, u32 vrf_id
request nat44_ed_plugin_enable_disable 0xbe17f8dd u32 inside_vrf, u32 outside_vrf, u32 sessions, u32 session_memory,
  bool enable, nat44_config_flags flags
reply nat44_ed_plugin_enable_disable_reply 0xe8d4e804 i32 retval
request nat44_forwarding_enable_disable 0xb3e225d2 bool enable
reply nat44_forwarding_enable_disable_reply 0xe8d4e804 i32 retval
request nat_ipfix_enable_disable 0x9af4a2d2 u32 domain_id, u16 src_port, bool enable
reply nat_ipfix_enable_disable_reply 0xe8d4e804 i32 retval
request nat_set_timeouts 0xd4746b16 u32 udp, u32 tcp_established, u32 tcp_transitory, u32 icmp
reply nat_set_timeouts_reply 0xe8d4e804 i32 retval
request nat44_set_session_limit 0x8899bbb1 u32 session_limit, u32 vrf_id
reply nat44_set_session_limit_reply 0xe8d4e804 i32 retval
request nat44_show_running_config 0x51077d14
reply nat44_show_running_config_reply 0x93d8e267 i32 retval, u32 inside_vrf, u32 outside_vrf, u32 users, u32 sessions,
  u32 user_sessions, u32 user_buckets, u32 translation_buckets, bool forwarding_enabled, bool ipfix_logging_enabled,
  nat_timeouts timeouts, nat_log_level log_level, nat44_config_flags flags
request nat_set_workers 0xda926638 u64 worker_mask
reply nat_set_workers_reply 0xe8d4e804 i32 retval
request nat_worker_dump 0x51077d14
reply nat_worker_details 0x84bf06fc u32 worker_index, u32 lcore_id, string[64] name
request nat44_ed_add_del_vrf_table 0x08330904 u32 table_vrf_id, bool is_add
reply nat44_ed_add_del_vrf_table_reply 0xe8d4e804 i32 retval
request nat44_ed_add_del_vrf_route 0x59187407 u32 table_vrf_id, u32 vrf_id, bool is_add
reply nat44_ed_add_del_vrf_route_reply 0xe8d4e804 i32 retval
request nat44_ed_vrf_tables_dump 0x51077d14
reply nat44_ed_vrf_tables_details 0x7b264e4f u32 table_vrf_id, u32 n_vrf_ids, u32[n_vrf_ids] vrf_ids
request nat44_ed_vrf_tables_v2_dump 0x51077d14
reply nat44_ed_vrf_tables_v2_details 0x7b264e4f u32 table_vrf_id, u32 n_vrf_ids, u32[n_vrf_ids] vrf_ids
request nat_set_mss_clamping 0x25e90abb u16 mss_value, bool enable
reply nat_set_mss_clamping_reply 0xe8d4e804 i32 retval
request nat_get_mss_clamping 0x51077d14
reply nat_get_mss_clamping_reply 0x1c0b2a78 i32 retval, u16 mss_value, bool enable
request nat44_ed_set_fq_options 0x2399bd71 u32 frame_queue_nelts
reply nat44_ed_set_fq_options_reply 0xe8d4e804 i32 retval
request nat44_ed_show_fq_options 0x51077d14
reply nat44_ed_show_fq_options_reply 0x7213b545 i32 retval, u32 frame_queue_nelts
request nat44_add_del_interface_addr 0x4aed50c0 bool is_add, interface_index sw_if_index, nat_config_flags flags
reply nat44_add_del_interface_addr_reply 0xe8d4e804 i32 retval
request nat44_interface_addr_dump 0x51077d14
reply nat44_interface_addr_details 0xe4aca9ca interface_index sw_if_index, nat_config_flags flags
request nat44_add_del_address_range 0x6f2b8055 ip4_address first_ip_address, ip4_address last_ip_address, u32 vrf_id,
  bool is_add, nat_config_flags flags
reply nat44_add_del_address_range_reply 0xe8d4e804 i32 retval
request nat44_address_dump 0x51077d14
reply nat44_address_details 0x0d1beac1 ip4_address ip_address, nat_config_flags flags, u32 vrf_id
request nat44_interface_add_del_feature 0xf3699b83 bool is_add, nat_config_flags flags, interface_index sw_if_index
reply nat44_interface_add_del_feature_reply 0xe8d4e804 i32 retval
request nat44_interface_dump 0x51077d14
reply nat44_interface_details 0x5d286289 nat_config_flags flags, interface_index sw_if_index
request nat44_ed_add_del_output_interface 0x47d6e753 bool is_add, interface_index sw_if_index
reply nat44_ed_add_del_output_interface_reply 0xe8d4e804 i32 retval
request nat44_ed_output_interface_get 0xf75ba505 u32 cursor
reply nat44_ed_output_interface_get_reply 0x53b48f5d i32 retval, u32 cursor
reply nat44_ed_output_interface_details 0x0b45011c interface_index sw_if_index
request nat44_add_del_static_mapping 0x5ae5f03e bool is_add, nat_config_flags flags, ip4_address local_ip_address,
  ip4_address external_ip_address, u8 protocol, u16 local_port, u16 external_port, interface_index
  external_sw_if_index, u32 vrf_id, string[64] tag
reply nat44_add_del_static_mapping_reply 0xe8d4e804 i32 retval
request nat44_add_del_static_mapping_v2 0x5e205f1a bool is_add, bool match_pool, nat_config_flags flags, ip4_address
  pool_ip_address, ip4_address local_ip_address, ip4_address external_ip_address, u8 protocol, u16 local_port, u16
  external_port, interface_index external_sw_if_index, u32 vrf_id, string[64] tag
reply nat44_add_del_static_mapping_v2_reply 0xe8d4e804 i32 retval
request nat44_static_mapping_dump 0x51077d14
reply nat44_static_mapping_details 0x06cb40b2 nat_config_flags flags, ip4_address local_ip_address, ip4_address
  external_ip_address, u8 protocol, u16 local_port, u16 external_port, interface_index external_sw_if_index, u32
  vrf_id, string[64] tag
request nat44_add_del_identity_mapping 0x02faaa22 bool is_add, nat_config_flags flags, ip4_address ip_address, u8
  protocol, u16 port, interface_index sw_if_index, u32 vrf_id, string[64] tag
reply nat44_add_del_identity_mapping_reply 0xe8d4e804 i32 retval
request nat44_identity_mapping_dump 0x51077d14
reply nat44_identity_mapping_details 0x2a52a030 nat_config_flags flags, ip4_address ip_address, u8 protocol, u16 port,
  interface_index sw_if_index, u32 vrf_id, string[64] tag
request nat44_add_del_lb_static_mapping 0x4f68ee9d bool is_add, nat_config_flags flags, ip4_address external_addr, u16
  external_port, u8 protocol, u32 affinity, string[64] tag, u32 local_num, nat44_lb_addr_port[local_num] locals
reply nat44_add_del_lb_static_mapping_reply 0xe8d4e804 i32 retval
request nat44_lb_static_mapping_add_del_local 0x7ca47547 bool is_add, ip4_address external_addr, u16 external_port, u8
  protocol, nat44_lb_addr_port local
reply nat44_lb_static_mapping_add_del_local_reply 0xe8d4e804 i32 retval
request nat44_lb_static_mapping_dump 0x51077d14
reply nat44_lb_static_mapping_details 0xed5ce876 ip4_address external_addr, u16 external_port, u8 protocol,
  nat_config_flags flags, u32 affinity, string[64] tag, u32 local_num, nat44_lb_addr_port[local_num] locals
request nat44_del_session 0x15a5bf8c ip4_address address, u8 protocol, u16 port, u32 vrf_id, nat_config_flags flags,
  ip4_address ext_host_address, u16 ext_host_port
reply nat44_del_session_reply 0xe8d4e804 i32 retval
request nat44_user_dump 0x51077d14
reply nat44_user_details 0x355896c2 u32 vrf_id, ip4_address ip_address, u32 nsessions, u32 nstaticsessions
request nat44_user_session_dump 0xe1899c98 ip4_address ip_address, u32 vrf_id
reply nat44_user_session_details 0x2cf6e16d ip4_address outside_ip_address, u16 outside_port, ip4_address
  inside_ip_address, u16 inside_port, u16 protocol, nat_config_flags flags, u64 last_heard, u64 total_bytes, u32
  total_pkts, ip4_address ext_host_address, u16 ext_host_port, ip4_address ext_host_nat_address, u16 ext_host_nat_port
request nat44_user_session_v2_dump 0xe1899c98 ip4_address ip_address, u32 vrf_id
reply nat44_user_session_v2_details 0xfd42b729 ip4_address outside_ip_address, u16 outside_port, ip4_address
  inside_ip_address, u16 inside_port, u16 protocol, nat_config_flags flags, u64 last_heard, u64 total_bytes, u32
  total_pkts, ip4_address ext_host_address, u16 ext_host_port, ip4_address ext_host_nat_address, u16
  ext_host_nat_port, bool is_timed_out
reply nat44_user_session_v3_details 0xedae926e ip4_address outside_ip_address, u16 outside_port, ip4_address
  inside_ip_address, u16 inside_port, u16 protocol, nat_config_flags flags, u64 last_heard, u64 time_since_last_heard,
  u64 total_bytes, u32 total_pkts, ip4_address ext_host_address, u16 ext_host_port, ip4_address ext_host_nat_address,
  u16 ext_host_nat_port, bool is_timed_out
request nat44_user_session_v3_dump 0xe1899c98 ip4_address ip_address, u32 vrf_id

get nat44_ed_output_interface_get nat44_ed_output_interface_get_reply nat44_ed_output_interface_details
dump nat_worker_dump nat_worker_details
dump nat44_ed_vrf_tables_dump nat44_ed_vrf_tables_details
dump nat44_ed_vrf_tables_v2_dump nat44_ed_vrf_tables_v2_details
dump nat44_interface_addr_dump nat44_interface_addr_details
dump nat44_address_dump nat44_address_details
dump nat44_interface_dump nat44_interface_details
dump nat44_static_mapping_dump nat44_static_mapping_details
dump nat44_identity_mapping_dump nat44_identity_mapping_details
dump nat44_lb_static_mapping_dump nat44_lb_static_mapping_details
dump nat44_user_dump nat44_user_details
dump nat44_user_session_dump nat44_user_session_details
dump nat44_user_session_v2_dump nat44_user_session_v2_details
dump nat44_user_session_v3_dump nat44_user_session_v3_details
"""
