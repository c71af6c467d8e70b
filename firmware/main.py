"""An application: opens the model at boot, classifies frame after frame, says why when it does not.

Copy it to the board as `main.py`, and put your sensor into `frames()`. As it is, it replays the float32 frames in
`/frames.bin`, each as long as the model's contract says.
"""

from array import array

import tinyseal


def frames(length):
    """Fill one buffer again and again: an array that is made here once keeps the loop free of allocations."""
    frame = array("f", (0.0 for _ in range(length)))
    with open("/frames.bin", "rb") as file:
        while file.readinto(frame):
            yield frame


def main():
    """Until there are no more frames."""
    with tinyseal.open() as model:
        for frame in frames(model.length):
            status = model.infer(frame)
            if status == tinyseal.OK:
                print(model.labels[model.top], model.output[model.top])
            else:
                print("refused:", tinyseal.STATUSES[status])


try:
    main()
except tinyseal.SealError as error:
    print("no model:", error)
except OSError as error:
    print("no frames:", error)
