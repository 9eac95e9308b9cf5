"""What is done with runs that are on disk: checked byte by byte, united, compared."""
