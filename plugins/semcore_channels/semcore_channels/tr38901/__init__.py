"""The channels of 3GPP TR 38.901 by Sionna: cells (uma, umi, rma) and link-level profiles (tdl, cdl)."""
