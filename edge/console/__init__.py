"""The local page: read-only."""
