"""Scores, by the published method of each edition, as ranges."""
