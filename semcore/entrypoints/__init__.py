"""What installed packages bring, read from their metadata; nothing is imported."""
