"""Is the picture alive? Repeats, photos, the clock in the picture, and the challenge lamp. Pure."""
