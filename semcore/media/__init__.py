"""Reading and writing pictures, clips and texts."""
