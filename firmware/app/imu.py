"""Six axes over I2C: InvenSense's MPU-6050, and MPU-6500 and MPU-9250, which have the same registers."""

from micropython import const
from ustruct import pack_into, unpack

from .pace import Pace

# Register map and sensitivities: MPU-6000/6050 Register Map 4.2; Product Specification 3.4.
_CONFIG = const(0x1A)  # and the two behind it: gyroscope's, accelerometer's
_DATA = const(0x3B)  # big-endian int16: accelerometer x y z, temperature, gyroscope x y z
_POWER = const(0x6B)
_WHO_AM_I = const(0x75)
_KNOWN = (0x68, 0x70, 0x71)
_ACCELEROMETER = 9.80665 / 2048  # m/s2 an LSB at +-16 g
_GYROSCOPE = 0.017453293 / 16.4  # rad/s an LSB at +-2000 degrees a second


class Imu:
    """Accelerometer x y z, then gyroscope x y z, `rate_hz` times a second: in m/s2 and rad/s as float32.

    With `raw` int16, as the sensor has them, for a contract that says what an LSB is. `i2c` is a machine.I2C.
    ValueError when something else answers, OSError when nothing does.
    """

    def __init__(self, i2c, rate_hz, address=0x68, raw=False):
        who = i2c.readfrom_mem(address, _WHO_AM_I, 1)[0]
        if who not in _KNOWN:
            raise ValueError("WHO_AM_I is 0x%02x, wanted one of 0x68, 0x70, 0x71" % who)
        i2c.writeto_mem(address, _POWER, b"\x01")  # awake, by the gyroscope's clock
        i2c.writeto_mem(address, _CONFIG, b"\x03\x18\x18")  # 44 Hz low pass, 2000 degrees a second, 16 g
        self._i2c = i2c
        self._address = address
        self._raw = raw
        self._read = bytearray(14)
        self._pace = Pace(rate_hz)

    def fill(self, frame):
        """Sample by sample, as many as fit."""
        size = 12 if self._raw else 24
        for at in range(0, len(frame) - size + 1, size):
            self._pace.wait()
            self._i2c.readfrom_mem_into(self._address, _DATA, self._read)
            ax, ay, az, _, gx, gy, gz = unpack(">7h", self._read)
            if self._raw:
                pack_into("<6h", frame, at, ax, ay, az, gx, gy, gz)
                continue
            a, g = _ACCELEROMETER, _GYROSCOPE
            pack_into("<6f", frame, at, ax * a, ay * a, az * a, gx * g, gy * g, gz * g)
