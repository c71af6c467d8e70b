"""Boards: the link to one, and what is done over it."""
