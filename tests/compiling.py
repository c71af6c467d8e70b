"""Compiles a `.tflite` for tests under a contract that allows all that its input can tell apart."""

from pathlib import Path

import numpy as np
from tinyseal_host.contract import Contract
from tinyseal_host.model.compiler import compile_model
from tinyseal_host.model.network import Network, read_network
from tinyseal_host.model.tflite_reader import read_model

PATH = Path("made.tflite")

# The public models, in the folder that TINYSEAL_MODELS names: int8 throughout, and with float32 edges.
SUPPORTED_MODELS = [
    "ad01_int8.tflite",
    "arduino_magic_wand_int8.tflite",
    "emlearn_mnist_cnn_int8.tflite",
    "hello_world_int8.tflite",
    "kws_ref_model.tflite",
    "micro_speech_quantized.tflite",
    "pretrainedResnet_quant.tflite",
]
FLOAT_MODELS = ["ad_ToyCar_fullint_micro.tflite", "wisdm_har_int8.tflite"]


def entry_of(data):
    """The int8 input: what the first QUANTIZE makes of a float32 one; the file's input where nothing is supported."""
    model = read_model(data, PATH)
    network = read_network(model)
    return network.input if isinstance(network, Network) else model.tensors[model.inputs[0]]


def contract_for(data, **changed):
    """A contract that allows the whole range of the model's input."""
    entry = entry_of(data)
    low, high = ((end - int(entry.zero_points[0])) * float(entry.scales[0]) for end in (-128, 127))
    fields = {"length": entry.size, "low": low, "high": high, "max_zeros": entry.size} | changed
    return Contract.simple(**fields)


def compile_bytes(data, contract=None):
    return compile_model(data, PATH, contract or contract_for(data), name="made", version=3)


def frames_of(data, inputs):
    """float32 frames that quantise to int8 `inputs`, well off the rounding edges."""
    entry = entry_of(data)
    return [((x.astype(np.int32) - entry.zero_points[0]) * entry.scales[0]).astype(np.float32) for x in inputs]
