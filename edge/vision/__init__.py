"""Cameras: from untrusted streams to sightings, and from sightings to activities."""
