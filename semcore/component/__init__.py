"""The base of everything that a pipeline file can name, its secrets and its digest."""
