"""Tests of edge/vision."""
