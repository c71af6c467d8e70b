"""Holds the hardened board definitions against what was read of ESP-IDF and MicroPython, where neither can be built.

`make boards`, or `PYTHONPATH=tests python -m boards_check`.
"""
