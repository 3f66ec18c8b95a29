"""ip6_nd.api of VPP 26.10: IPv6 router advertisements and neighbour discovery proxies. Notation: `parse`."""

TEXT = """
api ip6_nd 1.1.0 0x5f19a809
import vnet/ip/ip_types.api
import vnet/interface_types.api
type ip6nd_ra_prefix prefix prefix, bool onlink_flag, bool autonomous_flag, u32 val_lifetime, u32
  pref_lifetime, f64 valid_lifetime_expires, f64 pref_lifetime_expires, bool decrement_lifetime_flag, bool
  no_advertise
type ip6_ra_prefix_info prefix prefix, u8 flags, u32 valid_time, u32 preferred_time
request sw_interface_ip6nd_ra_config 0x3eb00b1c interface_index sw_if_index, u8 suppress, u8 managed, u8
  other, u8 ll_option, u8 send_unicast, u8 cease, bool is_no, u8 default_router, u32 max_interval, u32
  min_interval, u32 lifetime, u32 initial_count, u32 initial_interval
reply sw_interface_ip6nd_ra_config_reply 0xe8d4e804 i32 retval
request sw_interface_ip6nd_ra_prefix 0x82cc1b28 interface_index sw_if_index, prefix prefix, bool
  use_default, bool no_advertise, bool off_link, bool no_autoconfig, bool no_onlink, bool is_no, u32
  val_lifetime, u32 pref_lifetime
reply sw_interface_ip6nd_ra_prefix_reply 0xe8d4e804 i32 retval
request sw_interface_ip6nd_ra_dump 0xf9e6675e interface_index sw_if_index
reply sw_interface_ip6nd_ra_details 0xd3198de5 interface_index sw_if_index, u8 cur_hop_limit, bool
  adv_managed_flag, bool adv_other_flag, u16 adv_router_lifetime, u32 adv_neighbor_reachable_time, u32
  adv_retransmit_interval, u32 adv_link_mtu, bool send_radv, bool cease_radv, bool send_unicast, bool
  adv_link_layer_address, f64 max_radv_interval, f64 min_radv_interval, f64 last_radv_time, f64
  last_multicast_time, f64 next_multicast_time, u32 initial_adverts_count, f64 initial_adverts_interval,
  bool initial_adverts_sent, u32 n_advertisements_sent, u32 n_solicitations_rcvd, u32
  n_solicitations_dropped, u32 n_prefixes, ip6nd_ra_prefix[n_prefixes] prefixes
request ip6nd_proxy_enable_disable 0x7daa1e3a interface_index sw_if_index, bool is_enable
reply ip6nd_proxy_enable_disable_reply 0xe8d4e804 i32 retval
request ip6nd_proxy_add_del 0xc2e4a686 interface_index sw_if_index, bool is_add, ip6_address ip
reply ip6nd_proxy_add_del_reply 0xe8d4e804 i32 retval
reply ip6nd_proxy_details 0x30b9ff4a interface_index sw_if_index, ip6_address ip
request ip6nd_proxy_dump 0x51077d14
request ip6nd_send_router_solicitation 0xe5de609c u32 irt, u32 mrt, u32 mrc, u32 mrd, interface_index
  sw_if_index, bool stop
reply ip6nd_send_router_solicitation_reply 0xe8d4e804 i32 retval
request want_ip6_ra_events 0x3ec6d6c2 bool enable, u32 pid
reply want_ip6_ra_events_reply 0xe8d4e804 i32 retval
event ip6_ra_event 0x0364c1c5 u32 pid, interface_index sw_if_index, ip6_address router_addr, u8
  current_hop_limit, u8 flags, u16 router_lifetime_in_sec, u32 neighbor_reachable_time_in_msec, u32
  time_in_msec_between_retransmitted_neighbor_solicitations, u32 n_prefixes, ip6_ra_prefix_info[n_prefixes]
  prefixes

events want_ip6_ra_events ip6_ra_event
dump sw_interface_ip6nd_ra_dump sw_interface_ip6nd_ra_details
dump ip6nd_proxy_dump ip6nd_proxy_details
"""
