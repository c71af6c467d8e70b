"""Faults of sensors and cables, put into real frames: what the gate refuses, and what the rest does to the answer."""
