"""Boards that lose their power, and cables that fail, at every instant of every command: `python -m powercut`."""
