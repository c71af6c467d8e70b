"""The models whose whole inference the chapter "engine" states, and what TensorFlow Lite Micro makes of them."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from compiling import compile_bytes, contract_for
from tflite_micro import runtime
from tinyseal_host import example
from tinyseal_host.formats import SIGNATURE_LEN, parse_release
from tinyseal_host.model.network import Network, read_network
from tinyseal_host.model.quantisation import quantise
from tinyseal_host.model.selftest import make_self_test
from tinyseal_host.model.summary import describe
from tinyseal_host.model.tflite_reader import read_model
from tinyseal_host.program import Program

_ARENA_BYTES = 1 << 20
EXAMPLE = Path(example.__file__).parent / "motion.tflite"

MLPERF = ("ad01", "kws", "resnet8")
"""Names of MLPerf Tiny's models."""
NAMES = {
    "ad01_int8": "ad01",
    "ad_ToyCar_fullint_micro": "ad01_float",
    "arduino_magic_wand_int8": "magic_wand",
    "emlearn_mnist_cnn_int8": "mnist_cnn",
    "hello_world_int8": "hello_world",
    "kws_ref_model": "kws",
    "micro_speech_quantized": "micro_speech",
    "pretrainedResnet_quant": "resnet8",
    "wisdm_har_int8": "wisdm_har",
}
"""By the file's; another file keeps its own."""


@dataclass(frozen=True)
class BenchModel:
    """A `.tflite` that can be compiled, with one frame that leaves most of its outputs off their limits."""

    name: str
    data: bytes
    path: Path
    network: Network
    body: bytes
    """The release but for its signature."""

    @cached_property
    def program(self) -> Program:
        """The steps."""
        return parse_release(self.body + bytes(SIGNATURE_LEN)).program

    @cached_property
    def frame(self) -> np.ndarray:
        """float32 [length]."""
        return make_self_test(self.data, self.path, contract_for(self.data), self.network)[0]

    @cached_property
    def int8_frame(self) -> np.ndarray:
        """What TensorFlow Lite's QUANTIZE makes of it, in the shape of the network's input."""
        entry = self.network.input
        return quantise(self.frame, float(entry.scales[0]), int(entry.zero_points[0])).reshape(entry.shape)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates, those with padding counted."""
        return describe(self.data, self.path).macs

    def tflm(self) -> runtime.Interpreter:
        """TensorFlow Lite Micro's interpreter; every inference needs the frame set anew, its arena reuses the place."""
        return runtime.Interpreter.from_bytes(self.data, arena_size=_ARENA_BYTES)

    def set_frame(self, interpreter: runtime.Interpreter) -> None:
        """The frame as the file's input wants it, int8 or float32."""
        details = interpreter.get_input_details(0)
        frame = self.int8_frame if details["dtype"] is np.int8 else self.frame
        interpreter.set_input(frame.reshape(details["shape"]), 0)

    def differs(self, output: np.ndarray, answer: np.ndarray) -> str:
        """How a board's int8 output differs from TensorFlow Lite Micro's, which may be float32; "" if it does not."""
        found: np.ndarray = output
        if self.network.left_out:
            result = self.network.output
            found = ((output.astype(np.int32) - result.zero_points[0]) * result.scales[0]).astype(np.float32)
        wrong = int(np.count_nonzero(found != answer.reshape(-1)))
        return f"{wrong} of {answer.size} outputs are not TensorFlow Lite Micro's" if wrong else ""

    def fault(self, output: np.ndarray) -> str:
        """The same after an inference of TensorFlow Lite Micro's."""
        interpreter = self.tflm()
        self.set_frame(interpreter)
        interpreter.invoke()
        return self.differs(output, interpreter.get_output(0))


def bench_model(path: Path) -> BenchModel:
    """TinysealError for a file that cannot be compiled."""
    data = path.read_bytes()
    body = compile_bytes(data)
    network = read_network(read_model(data, path))
    assert isinstance(network, Network)
    return BenchModel(name_of(path), data, path, network, body)


def name_of(path: Path) -> str:
    """The name that a file's figures have."""
    return NAMES.get(path.stem, path.stem)


def model_paths() -> list[Path]:
    """The example, and all files in TINYSEAL_MODELS when it names a folder."""
    folder = os.environ.get("TINYSEAL_MODELS")
    return [EXAMPLE, *(sorted(Path(folder).glob("*.tflite")) if folder else [])]
