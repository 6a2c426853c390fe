"""The water world: a real network model, its demand, leaks, valves, pumps, waves and quality, and what its sensors tell."""
