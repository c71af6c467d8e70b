"""The one exception of the virtual board."""


class SimError(Exception):
    """The virtual board cannot start; one line, saying what was got and what was wanted."""
