"""Reading video and sound from files."""
