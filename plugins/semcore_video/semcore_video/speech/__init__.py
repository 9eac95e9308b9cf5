"""Speech: words, phones and their durations, and a voice that speaks them again."""
