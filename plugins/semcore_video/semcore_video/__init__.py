"""Sequences of pictures: where they come from, and how both ends keep reference pictures of
them."""
