"""ip_types.api of VPP 26.10: addresses and prefixes. Notation: `parse`."""

TEXT = """
api ip_types 3.0.0 0xfee023ed
alias ip4_address u8[4]
alias ip6_address u8[16]
alias address_with_prefix prefix
alias ip4_address_with_prefix ip4_prefix
alias ip6_address_with_prefix ip6_prefix
enum address_family u8 ADDRESS_IP4=0 ADDRESS_IP6=1
enum ip_feature_location u8 IP_API_FEATURE_INPUT=0 IP_API_FEATURE_OUTPUT=1 IP_API_FEATURE_LOCAL=2
  IP_API_FEATURE_PUNT=3 IP_API_FEATURE_DROP=4
enum ip_ecn u8 IP_API_ECN_NONE=0 IP_API_ECN_ECT0=1 IP_API_ECN_ECT1=2 IP_API_ECN_CE=3
enum ip_dscp u8 IP_API_DSCP_CS0=0 IP_API_DSCP_CS1=8 IP_API_DSCP_AF11=10 IP_API_DSCP_AF12=12 IP_API_DSCP_AF13=14
  IP_API_DSCP_CS2=16 IP_API_DSCP_AF21=18 IP_API_DSCP_AF22=20 IP_API_DSCP_AF23=22 IP_API_DSCP_CS3=24
  IP_API_DSCP_AF31=26 IP_API_DSCP_AF32=28 IP_API_DSCP_AF33=30 IP_API_DSCP_CS4=32 IP_API_DSCP_AF41=34
  IP_API_DSCP_AF42=36 IP_API_DSCP_AF43=38 IP_API_DSCP_CS5=40 IP_API_DSCP_EF=46 IP_API_DSCP_CS6=48 IP_API_DSCP_CS7=50
enum ip_proto u8 IP_API_PROTO_HOPOPT=0 IP_API_PROTO_ICMP=1 IP_API_PROTO_IGMP=2 IP_API_PROTO_TCP=6
  IP_API_PROTO_UDP=17 IP_API_PROTO_GRE=47 IP_API_PROTO_ESP=50 IP_API_PROTO_AH=51 IP_API_PROTO_ICMP6=58
  IP_API_PROTO_EIGRP=88 IP_API_PROTO_OSPF=89 IP_API_PROTO_SCTP=132 IP_API_PROTO_RESERVED=255
union address_union ip4_address ip4, ip6_address ip6
type address address_family af, address_union un
type prefix address address, u8 len
type ip4_address_and_mask ip4_address addr, ip4_address mask
type ip6_address_and_mask ip6_address addr, ip6_address mask
type mprefix address_family af, u16 grp_address_length, address_union grp_address, address_union src_address
type ip6_prefix ip6_address address, u8 len
type ip4_prefix ip4_address address, u8 len
type prefix_matcher u8 le, u8 ge
"""
