"""Lifts: trips as columns, what terminals tell of them, and what goes wrong."""
