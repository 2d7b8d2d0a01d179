"""``python -m recommender`` is the same as ``telemachos``."""

from recommender.cli import app

app()
