"""Decisions: pure functions and frozen data, standard library only."""
