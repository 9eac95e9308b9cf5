"""The shipped mini models: plain torch modules that need nothing of the framework."""
