"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("here", deadline=None)  # speed is measured by benchmarks, never by a test
settings.load_profile("here")
