"""One transmission, both ends: the block diagram as code. Start reading in `pipeline.py`."""
