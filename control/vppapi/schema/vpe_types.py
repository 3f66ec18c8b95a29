"""vpe_types.api of VPP 26.10: versions and times. Notation: `parse`."""

TEXT = """
api vpe_types 1.0.0 0x5f754a1c
alias timestamp f64
alias timedelta f64
enum log_level u32 VPE_API_LOG_LEVEL_EMERG=0 VPE_API_LOG_LEVEL_ALERT=1 VPE_API_LOG_LEVEL_CRIT=2
  VPE_API_LOG_LEVEL_ERR=3 VPE_API_LOG_LEVEL_WARNING=4 VPE_API_LOG_LEVEL_NOTICE=5 VPE_API_LOG_LEVEL_INFO=6
  VPE_API_LOG_LEVEL_DEBUG=7 VPE_API_LOG_LEVEL_DISABLED=8
type version u32 major, u32 minor, u32 patch, u8[17] pre_release, u8[17] build_metadata
"""
