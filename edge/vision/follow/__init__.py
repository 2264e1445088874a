"""Who is where and goes where: tracks, zones, lines, and motion that nobody names."""
