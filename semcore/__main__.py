"""`python -m semcore`."""

from semcore.cli import main

main()
