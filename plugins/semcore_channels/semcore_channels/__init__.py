"""Channels and transports for semcore; see README.md.

Channels: flat fading, 3GPP cells and link-level profiles, satellite links. Transports: 5G LDPC,
analog, uncoded, repetition, Walsh codes, and source and channel coding in separation.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
