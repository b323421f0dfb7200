"""Runs: what is to be done on phones, by whom, and how it ended."""
