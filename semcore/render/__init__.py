"""From numbers to output: the page, figures, tables, references, data files."""
