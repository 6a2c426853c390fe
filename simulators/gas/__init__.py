"""The gas world: mains, regulators, and the wells beside them into which a leak finds its way."""
