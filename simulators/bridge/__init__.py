"""The bridge world: spans under traffic, weather and what breaks them, as their sensors tell it."""
