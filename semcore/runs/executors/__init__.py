"""Where cells are computed when not in the process that the user started."""
