"""What shows it: pictures and clips."""
