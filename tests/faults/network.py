"""The example's int8 network, as the host's reference computes it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tinyseal_host import example
from tinyseal_host.model import reference
from tinyseal_host.model.layers import Softmax
from tinyseal_host.model.network import Network, read_network
from tinyseal_host.model.tflite_reader import read_model

FOLDER = Path(example.__file__).parent


class Classifier:
    """Answers for one frame at a time, float32 in any shape."""

    def __init__(self) -> None:
        path = FOLDER / "motion.tflite"
        network = read_network(read_model(path.read_bytes(), path))
        assert isinstance(network, Network)
        last = network.layers[-1]
        assert isinstance(last.computation, Softmax)
        self._network = network
        self._before_softmax = replace(network, layers=network.layers[:-1], output=last.inputs[0])

    def top(self, frame: np.ndarray) -> int:
        """The class that the network answers with."""
        return int(np.argmax(reference.run(self._network, frame)))

    def scores(self, frame: np.ndarray) -> np.ndarray:
        """What goes into the softmax, int8 [classes]: finer than what comes out where the network is sure."""
        return reference.run(self._before_softmax, frame)
