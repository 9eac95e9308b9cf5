"""CLIP, and the shipped networks with their weights."""
