"""Worlds that are not there: physics in small, seeded, with faults that say what is true."""
