"""What messages are made of: hints at what was meant, numbers with units, and secrets taken out."""
