"""Joint source-channel coding of frames and sound by networks: baselines."""
