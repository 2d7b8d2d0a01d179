"""Telemachos: a senior says what they want to learn, and is shown juniors who can explain it."""
