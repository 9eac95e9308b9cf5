"""Sources of videos and of sequences of pictures."""
