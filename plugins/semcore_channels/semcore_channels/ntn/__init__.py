"""Satellite links: geometry, losses, orbits, the NTN-TDL channel and the bent pipe."""
