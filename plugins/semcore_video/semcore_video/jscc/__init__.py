"""Baselines that send the sound and the frames themselves, by networks trained through a noisy
channel."""
