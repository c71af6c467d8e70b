"""What a virtual board's VM runs first: build the board around itself, then its scripts, then leave the REPL to it.

Arguments: state directory, control descriptor, unique id in hex, reset cause, 1 after a soft reset in the raw REPL,
1 for a board with the native emitter, the chip or nothing, 1 for one with registers, what is to become of the power
(`supply.py`).
"""

import micropython

micropython.kbd_intr(-1)  # until code of the board runs, Ctrl-C is a byte like any other

import power  # noqa: E402
import scripts  # noqa: E402

power.on()
scripts.run(globals())
