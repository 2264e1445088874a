"""The frozen types that everything speaks in. No I/O, no clock."""
