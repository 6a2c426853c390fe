"""Grafana dashboards as code: docs/boards.md."""
