"""Test endpoints for planners that ask a language model."""
