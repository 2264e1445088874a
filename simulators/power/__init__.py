"""Weeks of power at an idle mine, labelled: loads, weather, cheats, faults of meters. Pure.

Everything is drawn anew by seed from what is known of mine machines (physics of pumps and sumps,
cycles of hoists, heaters and thermostats), never from what a detector looks at.

Two ranges of seeds: below 1,000 authors of detectors may look at every week; from 5,000 on weeks
are held out: the benchmark's default run alone plays them, and nobody tunes by what it shows.
"""
