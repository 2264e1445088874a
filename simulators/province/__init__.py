"""A small province: a broker, and a subscriber that checks everything that arrives."""
