"""Pretrained models: where they lie, whether they are complete, and that their files run no code."""
