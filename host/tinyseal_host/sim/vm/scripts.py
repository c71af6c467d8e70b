"""The scripts of the board, as ports/esp32/main.c and shared/runtime/pyexec.c run them, and the way into the REPL."""

import control
import micropython
import settings
import uos
from report import report

_RAN, _RAISED, _EXITED = 0, 1, 2


def run(namespace):
    """Run boot.py and main.py in `namespace`, the globals of `__main__`; SystemExit when one of them asks for it."""
    namespace.clear()
    namespace["__name__"] = "__main__"
    outcome = _RAN
    try:
        micropython.kbd_intr(3)  # before the relay hears of a script: it would take Ctrl-C for a byte
        outcome = _run_all(namespace)
        for _ in range(2):  # a jump: the VM raises a pending Ctrl-C at jumps, and this is the last that may
            pass
    except KeyboardInterrupt as error:  # pressed in the moment in which a script begins or ends
        micropython.kbd_intr(-1)
        report(error, __file__)
    micropython.kbd_intr(-1)
    if outcome == _EXITED:
        raise SystemExit  # the VM ends, the relay starts the next: a soft reset
    control.ask(b"P")
    uos.putenv("MICROPYINSPECT", "1")  # looked at when this script has ended: then the REPL comes, and not the end


def _run_all(namespace):
    outcome = _execute("boot.py", namespace)
    if outcome == _RAN and not settings.RAW_REPL:
        control.tell(b"M")
        outcome = _execute("main.py", namespace)
    return outcome


def _execute(name, namespace):
    try:
        uos.stat(name)
    except OSError:
        return _RAN
    try:
        execfile(name, namespace)  # noqa: F821 - MicroPython's
    except SystemExit:
        return _EXITED
    except BaseException as error:  # noqa: BLE001 - as the VM itself does, KeyboardInterrupt too
        report(error, __file__)
        return _RAISED
    return _RAN
