"""Speech: words, phones and durations, recognisers, voices, and lips."""
