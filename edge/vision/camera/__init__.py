"""What runs in a camera's own process, and how the daemon speaks with it."""
