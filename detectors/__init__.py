"""Detectors, one file each: pure functions over arrays of state, and the rules that say at which bounds they warn."""

from detectors.rulebook import BadRules, known, named, rules

__all__ = ["BadRules", "known", "named", "rules"]
