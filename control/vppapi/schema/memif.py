"""memif.api of VPP 26.10: interfaces in shared memory. Notation: `parse`."""

TEXT = """
api memif 3.1.0 0xd48ac702
import vnet/interface_types.api
import vnet/ethernet/ethernet_types.api
enum memif_role u32 MEMIF_ROLE_API_MASTER=0 MEMIF_ROLE_API_SLAVE=1
enum memif_mode u32 MEMIF_MODE_API_ETHERNET=0 MEMIF_MODE_API_IP=1 MEMIF_MODE_API_PUNT_INJECT=2

request memif_socket_filename_add_del 0xa2ce1a10 bool is_add, u32 socket_id, string[108] socket_filename
reply memif_socket_filename_add_del_reply 0xe8d4e804 i32 retval
request memif_socket_filename_add_del_v2 0x34223bdf bool is_add, u32 socket_id=4294967295, string[] socket_filename
reply memif_socket_filename_add_del_v2_reply 0x9f29bdb9 i32 retval, u32 socket_id
request memif_create 0xb1b25061 memif_role role, memif_mode mode, u8 rx_queues, u8 tx_queues, u32 id, u32 socket_id,
  u32 ring_size, u16 buffer_size, bool no_zero_copy, mac_address hw_addr, string[24] secret
reply memif_create_reply 0x5383d31f i32 retval, interface_index sw_if_index
request memif_create_v2 0x8c7de5f7 memif_role role, memif_mode mode, u8 rx_queues, u8 tx_queues, u32 id, u32 socket_id,
  u32 ring_size, u16 buffer_size, bool no_zero_copy, bool use_dma, mac_address hw_addr, string[24] secret
reply memif_create_v2_reply 0x5383d31f i32 retval, interface_index sw_if_index
request memif_delete 0xf9e6675e interface_index sw_if_index
reply memif_delete_reply 0xe8d4e804 i32 retval
reply memif_socket_filename_details 0x7ff326f7 u32 socket_id, string[108] socket_filename
request memif_socket_filename_dump 0x51077d14
reply memif_details 0xda34feb9 interface_index sw_if_index, mac_address hw_addr, u32 id, memif_role role,
  memif_mode mode, bool zero_copy, u32 socket_id, u32 ring_size, u16 buffer_size, if_status_flags flags,
  string[64] if_name
request memif_dump 0x51077d14

dump memif_socket_filename_dump memif_socket_filename_details
dump memif_dump memif_details
"""
