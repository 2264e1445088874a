"""A camera's bytes: how they are reached, held and decoded."""
