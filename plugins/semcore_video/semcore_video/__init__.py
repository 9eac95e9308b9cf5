"""Talking heads and sequences of pictures: encoders, transports, generators, knowledge bases,
metrics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
