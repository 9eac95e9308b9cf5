"""How the shipped weights of this package are made: one recipe per file, loaded by `semcore train`
alone."""
