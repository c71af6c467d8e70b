"""Runs before main.py. Both are frozen, and a frozen file is run in the place of one on the filesystem.

The current directory would come before what is frozen: a /tinyseal.py would be imported instead of the package, and a
/struct.py instead of a built-in module.
"""

import sys

sys.path[:] = [".frozen"]
