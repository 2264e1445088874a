"""What makes activities forbidden. Pure: step(state, input, now) gives (state, drafts)."""
