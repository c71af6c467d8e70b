"""What the firmware costs: `python -m bench` prints all chapters, `python -m bench open` one of them.

A line is `NAME FIGURE UNIT ...`. Figures are counts of what the shipped machine code does in emulation, or memory of
the real VM, never wall time. What a figure's run answered is checked in that run: a wrong answer is said in the line,
and the exit status is 1.
"""
