"""Pictures for semcore: sources, codecs, captions, diffusion generators, selectors and metrics."""
