"""From the broker to columns of readings: MQTT session, journal, codecs, quality."""
