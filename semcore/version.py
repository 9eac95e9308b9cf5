"""The version of semcore: here alone, and in the package's metadata by the build."""

__version__ = "0.1.0"
