"""A model that is open: frames in, statuses and outputs out (level 3)."""

import gc

from uarray import array
from utime import ticks_diff, ticks_ms, ticks_us

from .errors import CLOSED, OK, RELEASE, SELF_TEST, SENSOR, STATUSES, SealError
from .gate import Gate
from .memory import equal, wipe
from .net import Net
from .release import Release


class Health:
    """Counts verdicts; allocates nothing after it was made.

    `counts`: frames by status, SENSOR being those that were refused after so many others; each of them is counted under
    its reason as well. `channels`: refused frames by the channel that was to blame. `last_status` and `last_channel`:
    of the last refused frame, OK and -1 before there is one. `run`: refused frames in a row up to now; `longest`: of
    all. `failed`: whether they are so many that the contract calls it the sensor's failure.
    """

    def __init__(self, channels, failure_after):
        """`failure_after`: that many refused frames in a row are a failure, 0 for never."""
        self.counts = array("I", bytes(4 * len(STATUSES)))
        self.channels = array("I", bytes(4 * channels))
        self.last_status = OK
        self.last_channel = -1
        self.run = 0
        self.longest = 0
        self.failed = False
        self.failure_after = failure_after

    def note(self, status, channel):
        """Count a verdict of the gate; what `infer` says of the frame: the same, or SENSOR."""
        self.counts[status] += 1
        if status == OK:
            self.run = 0
            self.failed = False
            return OK
        self.last_status = status
        self.last_channel = channel
        if channel >= 0:
            self.channels[channel] += 1
        self.run += 1
        self.longest = max(self.longest, self.run)
        if self.failure_after and self.run >= self.failure_after:
            self.failed = True
            self.counts[SENSOR] += 1
            return SENSOR
        return status


class Model:
    """The network of a verified release, behind its gate.

    `output` is the network's last output (array "b", int8 values as TensorFlow Lite Micro gives them), `top` the index
    of the greatest, both of the last accepted frame; `labels` a tuple of str, maybe empty; `health` the gate's
    counters; `gate_us` and `net_us` what gate and network last took; `length` values of `type` (FORMAT.md's number) a
    frame; `version` and `name` the release's. `Model.latest_health` is that of the one that opened last, for whoever
    asks. SealError(RELEASE), SealError(SELF_TEST), SealError(MEMORY).
    """

    latest_health = None  # type: Health | None

    def __init__(self, payload, version):
        """`payload`: the release in a bytearray, which the model owns from now on, and wipes. `version`: as sealed."""
        self._payload = payload
        self._net = None  # type: Net | None
        self._gate = None  # type: Gate | None
        self._closed_why = ""
        self._busy = False
        self._used_ms = ticks_ms()
        try:
            gc.collect()
            release = Release(payload, version)
            contract = release.contract
            gc.collect()  # what stays is made before the steps, each of which leaves some garbage
            gate = self._gate = Gate(contract)
            self.version, self.name, self.labels = version, release.name, release.labels
            self.length, self.type = contract.length, contract.type
            self.health = Health(contract.channels, contract.failure_after)
            self.top = self.gate_us = self.net_us = 0
            net = Net(payload, release.program_at, release.program_len, release.tables_at, release.tables_len, contract)
            self._net = net
            self.output = net.output
            if net.input_len != contract.length or len(release.selftest_output) != net.output_len:
                raise SealError(RELEASE, "lengths")
            if len(release.labels) not in (0, net.output_len):
                raise SealError(RELEASE, "%d labels" % len(release.labels))
            self._test_itself(gate, net, release)
        except BaseException:
            self.close()
            raise
        Model.latest_health = self.health

    def _test_itself(self, gate, net, release):
        if gate.check(release.selftest_frame) != OK:
            raise SealError(SELF_TEST, "frame refused")
        net.run(release.selftest_frame)
        if not equal(self.output, release.selftest_output):
            raise SealError(SELF_TEST, "other output")
        wipe(self.output)

    def infer(self, frame):
        """OK, or why the gate refused the frame; counted either way. SealError(CLOSED).

        When the contract's number of frames in a row is refused, SENSOR, until a frame is accepted; `health` has the
        reason. Allocates nothing, except on boards without the native emitter, whose plain kernels do.
        """
        self._busy = True
        try:
            if self._net is None or self._gate is None:
                raise SealError(CLOSED, self._closed_why)
            gate = self._gate
            start = ticks_us()
            found = gate.check(frame)
            checked = ticks_us()
            self.gate_us = ticks_diff(checked, start)
            status = self.health.note(found, gate.channel)
            if status == OK:
                self.top = self._net.run(frame)
                self.net_us = ticks_diff(ticks_us(), checked)
        finally:
            self._used_ms = ticks_ms()
            self._busy = False
        return status

    def close_if_idle(self, keep_ms):
        """Close a model that has had no frame for that long, never in the middle of one; whether it is closed now."""
        if not self._busy and self._net is not None and ticks_diff(ticks_ms(), self._used_ms) >= keep_ms:
            self.close()
            self._closed_why = "no frame for %d ms" % keep_ms
        return self._net is None

    def is_open(self):
        """Whether frames can be inferred."""
        return self._net is not None

    def close(self):
        """Wipe weights, activations and output; again does nothing."""
        wipe(self._payload)
        if self._net is not None:
            self._net.wipe()
            self._net = None
        if self._gate is not None:
            self._gate.forget()
            self._gate = None
        self._payload = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()
