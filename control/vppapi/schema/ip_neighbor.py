"""ip_neighbor.api of VPP 26.10: neighbours of IPv4 and IPv6. Notation: `parse`."""

TEXT = """
api ip_neighbor 1.0.1 0x36db39bd
import vnet/ip/ip_types.api
import vnet/ethernet/ethernet_types.api
import vnet/interface_types.api
enum ip_neighbor_flags u8 IP_API_NEIGHBOR_FLAG_NONE=0 IP_API_NEIGHBOR_FLAG_STATIC=1
  IP_API_NEIGHBOR_FLAG_NO_FIB_ENTRY=2
enum ip_neighbor_event_flags u32 IP_NEIGHBOR_API_EVENT_FLAG_ADDED=1 IP_NEIGHBOR_API_EVENT_FLAG_REMOVED=2
type ip_neighbor interface_index sw_if_index, ip_neighbor_flags flags, mac_address mac_address, address ip_address

request ip_neighbor_add_del 0x0607c257 bool is_add, ip_neighbor neighbor
reply ip_neighbor_add_del_reply 0x1992deab i32 retval, u32 stats_index
request ip_neighbor_dump 0xd817a484 interface_index sw_if_index=4294967295, address_family af
reply ip_neighbor_details 0xe29d79f0 f64 age, ip_neighbor neighbor
request ip_neighbor_config 0xf4a5cf44 address_family af, u32 max_number, u32 max_age, bool recycle
reply ip_neighbor_config_reply 0xe8d4e804 i32 retval
request ip_neighbor_config_get 0xa5db7bf7 address_family af
reply ip_neighbor_config_get_reply 0x798e6fdd i32 retval, address_family af, u32 max_number, u32 max_age,
  bool recycle
request ip_neighbor_replace_begin 0x51077d14
reply ip_neighbor_replace_begin_reply 0xe8d4e804 i32 retval
request ip_neighbor_replace_end 0x51077d14
reply ip_neighbor_replace_end_reply 0xe8d4e804 i32 retval
request ip_neighbor_flush 0x16aa35d2 address_family af, interface_index sw_if_index=4294967295
reply ip_neighbor_flush_reply 0xe8d4e804 i32 retval
request want_ip_neighbor_events 0x73e70a86 bool enable, u32 pid, address ip, interface_index sw_if_index=4294967295
reply want_ip_neighbor_events_reply 0xe8d4e804 i32 retval
event ip_neighbor_event 0xbdb092b2 u32 pid, ip_neighbor neighbor
request want_ip_neighbor_events_v2 0x73e70a86 bool enable, u32 pid, address ip,
  interface_index sw_if_index=4294967295
reply want_ip_neighbor_events_v2_reply 0xe8d4e804 i32 retval
event ip_neighbor_event_v2 0xc1d53dc0 u32 pid, ip_neighbor_event_flags flags, ip_neighbor neighbor

events want_ip_neighbor_events ip_neighbor_event
events want_ip_neighbor_events_v2 ip_neighbor_event_v2
dump ip_neighbor_dump ip_neighbor_details
"""
