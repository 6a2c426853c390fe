"""Wiring only: the three processes, their supervision, the commands. Nobody imports it."""
