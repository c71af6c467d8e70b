"""Contracts and recorded frames: a contract proposed from clean frames, and frames held against a contract."""
