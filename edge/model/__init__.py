"""`eseal model`: bring, add, list and measure detectors."""
