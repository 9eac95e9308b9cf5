"""Sessions of many segments, the planner that adapts them, and what it may try."""
