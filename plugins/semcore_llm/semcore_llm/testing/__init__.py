"""For tests of planners that ask a language model: endpoints of one's own."""
