"""A whole idle mine: feeders, contacts and cameras on real sockets, and its seal.toml."""
