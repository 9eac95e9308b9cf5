"""The channel models of 3GPP TR 38.901: cells and link-level profiles."""
