"""From numbers to what is looked at: the page, figures, tables, references, data files."""
