"""The process that keeps an InfluxDB in step with the lake and the desk, for boards. docs/influx.md"""
