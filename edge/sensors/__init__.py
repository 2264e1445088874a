"""Meters, contacts: from the bus to observations, and from readings to activities."""
