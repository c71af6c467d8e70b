"""What the firmware costs: `python -m bench` prints all chapters, `python -m bench open` one of them.

A line is `NAME FIGURE UNIT ...`. Figures are counts of what the shipped machine code does in emulation, or memory of
the real VM; wall time only as a ratio within one run. What a figure's run answered is checked in that run: a wrong
answer is said in the line, and the exit status is 1. A figure that misses its goal is said as well, and is no failure.
"""
