"""tunnel_types.api of VPP 26.10: what tunnels have in common. Notation: `parse`."""

TEXT = """
api tunnel_types 1.0.1 0x882f6758
import vnet/interface_types.api
import vnet/ip/ip_types.api
enum tunnel_encap_decap_flags u8 TUNNEL_API_ENCAP_DECAP_FLAG_NONE=0 TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_COPY_DF=1
  TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_SET_DF=2 TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_COPY_DSCP=4
  TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_COPY_ECN=8 TUNNEL_API_ENCAP_DECAP_FLAG_DECAP_COPY_ECN=16
  TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_INNER_HASH=32 TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_COPY_HOP_LIMIT=64
  TUNNEL_API_ENCAP_DECAP_FLAG_ENCAP_COPY_FLOW_LABEL=128
enum tunnel_mode u8 TUNNEL_API_MODE_P2P=0 TUNNEL_API_MODE_MP=1
flags tunnel_flags u8 TUNNEL_API_FLAG_TRACK_MTU=1
type tunnel u32 instance, address src, address dst, interface_index sw_if_index, u32 table_id,
  tunnel_encap_decap_flags encap_decap_flags, tunnel_mode mode, tunnel_flags flags, ip_dscp dscp, u8 hop_limit
"""
