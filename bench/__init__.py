"""Measurements: clocks per packet by node, as VPP's ``show runtime`` counts them."""
