"""pg.api of VPP 26.10: packet generator interfaces and streams. Notation: `parse`."""

TEXT = """
api pg 2.1.0 0xeae14b90
import vnet/interface_types.api
enum pg_interface_mode u8 PG_API_MODE_ETHERNET=0 PG_API_MODE_IP4=1 PG_API_MODE_IP6=2
enum pg_interface_flags u32 PG_API_FLAG_NONE=0 PG_API_FLAG_CSUM_OFFLOAD=1 PG_API_FLAG_GSO=2
  PG_API_FLAG_GRO_COALESCE=4

request pg_create_interface 0xb7c893d7 interface_index interface_id, bool gso_enabled, u32 gso_size
request pg_create_interface_v2 0x8657466a interface_index interface_id, bool gso_enabled, u32 gso_size,
  pg_interface_mode mode
request pg_create_interface_v3 0xb2aac653 interface_index interface_id, pg_interface_flags pg_flags, u32 gso_size,
  pg_interface_mode mode
reply pg_create_interface_reply 0x5383d31f i32 retval, interface_index sw_if_index
reply pg_create_interface_v2_reply 0x5383d31f i32 retval, interface_index sw_if_index
reply pg_create_interface_v3_reply 0x5383d31f i32 retval, interface_index sw_if_index
request pg_delete_interface 0xf9e6675e interface_index sw_if_index
reply pg_delete_interface_reply 0xe8d4e804 i32 retval
request pg_interface_enable_disable_coalesce 0xa2ef99e7 interface_index sw_if_index, bool coalesce_enabled
reply pg_interface_enable_disable_coalesce_reply 0xe8d4e804 i32 retval
request pg_capture 0x3712fb6c interface_index interface_id, bool is_enabled=true, u32 count, string[] pcap_file_name
reply pg_capture_reply 0xe8d4e804 i32 retval
request pg_enable_disable 0x01f94f3a bool is_enabled=true, string[] stream_name
reply pg_enable_disable_reply 0xe8d4e804 i32 retval
"""
