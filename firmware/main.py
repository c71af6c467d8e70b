"""An application: opens the model at boot, classifies frame after frame, and prints a line of JSON for each.

Copy it to the board with the folder `app` beside it, and let `sensor` return yours. As it is, it replays the frames in
`/frames.bin`. `tinyseal monitor` shows what it prints.
"""

import time

import tinyseal
from app import report
from app.replay import Replay

# from app.adc import Analogue
# from app.imu import Imu
# from app.uart import Frames
# from machine import ADC, I2C, UART, Pin

_SIZES = (0, 4, 2, 1, 1)  # bytes of a value, by the contract's type
_EVERY = 50  # frames between two lines that say what the model is


def sensor(frame_bytes):
    """Where frames come from: whatever has a `fill(frame)`, which raises OSError while there is none."""
    return Replay("/frames.bin", frame_bytes, rate_hz=5)
    # return Imu(I2C(0, scl=Pin(9), sda=Pin(8)), rate_hz=10)
    # return Analogue([ADC(Pin(4))], rate_hz=100)
    # return Frames(UART(1, baudrate=921600, rx=Pin(5)))


def main():
    """Until it is interrupted. A sensor that fails is tried again every second."""
    with tinyseal.open() as model:
        frame = bytearray(_SIZES[model.type] * model.length)
        source = None
        number = 0
        while True:
            try:
                source = source or sensor(len(frame))
                source.fill(frame)
            except OSError as error:
                source = None
                print(report.failure("sensor", error))
                time.sleep(1)
                continue
            status = model.infer(frame)
            if number % _EVERY == 0:
                print(report.about(model))
            print(report.frame(model, number, status))
            number += 1


try:
    main()
except tinyseal.SealError as error:
    print(report.failure("model", error))
except ValueError as error:
    print(report.failure("sensor", error))
