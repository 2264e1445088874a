"""The daemon on the gateway at a shaft head."""

__version__ = "0.1.0"
