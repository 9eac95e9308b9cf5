"""How much of a picture, and of its meaning, arrived."""
