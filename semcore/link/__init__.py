"""One transmission, both ends. Start reading in `pipeline.py`."""
