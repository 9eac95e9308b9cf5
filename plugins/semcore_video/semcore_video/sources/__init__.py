"""Where videos and sequences of pictures come from."""
