"""Who hears of a warning, in the words of Prometheus Alertmanager: routes, inhibition, silences, and its API v2."""
