"""How the default detector is trained: `python -m models.train --help`."""
