"""What a meter showed round an incident: its newest readings, and its day as a plot. Pure."""
