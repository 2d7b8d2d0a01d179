"""Tests, by kind: unit, properties, integration, app (pages), browser."""
