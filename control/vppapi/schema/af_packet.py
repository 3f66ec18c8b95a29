"""af_packet.api of VPP 26.10: interfaces of the host. Notation: `parse`."""

_SIZES = "u32 rx_frame_size, u32 tx_frame_size, u32 rx_frames_per_block, u32 tx_frames_per_block"

TEXT = f"""
api af_packet 2.0.0 0x5b12de21
import vnet/interface_types.api
import vnet/ethernet/ethernet_types.api
enum af_packet_mode u32 AF_PACKET_API_MODE_ETHERNET=1 AF_PACKET_API_MODE_IP=2
enum af_packet_flags u32 AF_PACKET_API_FLAG_QDISC_BYPASS=1 AF_PACKET_API_FLAG_CKSUM_GSO=2
  AF_PACKET_API_FLAG_VERSION_2=8

request af_packet_create 0xa190415f mac_address hw_addr, bool use_random_hw_addr, string[64] host_if_name
reply af_packet_create_reply 0x5383d31f i32 retval, interface_index sw_if_index
request af_packet_create_v2 0x4aff0436 mac_address hw_addr, bool use_random_hw_addr, string[64] host_if_name,
  {_SIZES}, u32 flags, u16 num_rx_queues=1
reply af_packet_create_v2_reply 0x5383d31f i32 retval, interface_index sw_if_index
request af_packet_create_v3 0xb3a809d4 af_packet_mode mode, mac_address hw_addr, bool use_random_hw_addr,
  string[64] host_if_name, {_SIZES}, af_packet_flags flags, u16 num_rx_queues=1, u16 num_tx_queues=1
reply af_packet_create_v3_reply 0x5383d31f i32 retval, interface_index sw_if_index
request af_packet_delete 0x863fa648 string[64] host_if_name
reply af_packet_delete_reply 0xe8d4e804 i32 retval
request af_packet_set_l4_cksum_offload 0x319cd5c8 interface_index sw_if_index, bool set
reply af_packet_set_l4_cksum_offload_reply 0xe8d4e804 i32 retval
request af_packet_dump 0x51077d14
reply af_packet_details 0x58c7c042 interface_index sw_if_index, string[64] host_if_name

dump af_packet_dump af_packet_details
"""
