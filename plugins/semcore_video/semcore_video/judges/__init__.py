"""Judges of faces and speech: detectors and recognisers that no encoder or generator of this package uses."""
