"""A model that is open: frames in, statuses and outputs out (level 3)."""

from uarray import array
from utime import ticks_diff, ticks_ms

from .errors import CLOSED, OK, RELEASE, SELF_TEST, STATUSES, SealError
from .gate import Gate
from .memory import equal, wipe
from .net import Net
from .release import Release


class Model:
    """The network of a verified release, behind its gate.

    `output` is the network's last output (array "b", int8 values as TensorFlow Lite Micro gives them), `top` the index
    of the greatest, both of the last accepted frame; `labels` a tuple of str, maybe empty; `counts` frames by status;
    `version` and `name` the release's. `Model.latest_counts` are those of the one that opened last, for whoever asks.
    SealError(RELEASE), SealError(SELF_TEST), SealError(MEMORY).
    """

    latest_counts = None  # type: array | None

    def __init__(self, payload, version):
        """`payload`: the release in a bytearray, which the model owns from now on, and wipes. `version`: as sealed."""
        self._payload = payload
        self._net = None  # type: Net | None
        self._gate = None  # type: Gate | None
        self._closed_why = ""
        try:
            release = Release(payload, version)
            net = Net(payload, release.program_at, release.program_len, release.tables_at, release.tables_len)
            self._net = net
            if net.input_len != release.length or len(release.selftest_output) != net.output_len:
                raise SealError(RELEASE, "lengths")
            if len(release.labels) not in (0, net.output_len):
                raise SealError(RELEASE, "%d labels" % len(release.labels))
            self._gate = Gate(release.length, release.limits[0], release.limits[1], release.max_zeros)
            self.version, self.name, self.labels, self.length = version, release.name, release.labels, release.length
            self.output = net.output
            self.top = 0
            self.counts = array("I", (0 for _ in STATUSES))
            self._test_itself(release)
        except BaseException:
            self.close()
            raise
        Model.latest_counts = self.counts

    def _test_itself(self, release):
        if self.infer(release.selftest_frame) != OK:
            raise SealError(SELF_TEST, "the contract refuses its frame")
        if not equal(self.output, release.selftest_output):
            raise SealError(SELF_TEST, "other output than it should give")
        self.counts[OK] = 0
        wipe(self.output)
        self.top = 0

    def infer(self, frame):
        """OK, or why the gate refused the frame; counted either way. SealError(CLOSED).

        Allocates nothing, except on boards without the native emitter, whose plain kernels do.
        """
        self._busy = True
        try:
            if self._net is None or self._gate is None:
                raise SealError(CLOSED, self._closed_why)
            status = self._gate.check(frame)
            self.counts[status] += 1
            if status == OK:
                self.top = self._net.run(frame)
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
