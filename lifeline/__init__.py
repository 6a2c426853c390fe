"""Words shared by all packages: types, catalog, clock, units, configuration. Imports nothing else of ours."""
