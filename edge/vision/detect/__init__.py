"""People and vehicles in a picture: models, their formats, and where to look."""
