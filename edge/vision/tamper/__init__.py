"""Is the picture what it was, and is it alive?"""
