"""Faults of everything that several nodes stand on, and what they may not do to anybody's work."""
