"""Runs before main.py. Both are frozen, and a frozen file is run in the place of one on the filesystem.

The current directory and /lib would come before and behind what is frozen: a /tinyseal.py there would be imported instead of
the package, and a /struct.py instead of a built-in module.
"""

import sys

sys.path[:] = [".frozen"]
