"""What past runs taught: the records that planners learn from, and the command that collects
them."""
