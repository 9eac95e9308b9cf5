"""The base of everything that a pipeline file can name: fields, validation, documentation, units, secrets, digest."""
