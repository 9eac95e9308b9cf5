"""What leaves a run for a paper: figures, tables, references and data, each saying what it stands on."""
