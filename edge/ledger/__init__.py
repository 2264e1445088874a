"""The tamper-evident record: the only durable thing."""
