"""Other people's storage, measured beside ours in the same run."""
