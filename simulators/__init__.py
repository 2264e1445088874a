"""Simulators: real protocols over real sockets, for tests and the demo."""
