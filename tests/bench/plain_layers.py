"""A network's layers as JSON for `plain_network`: numbers and lists of numbers, by the names used there."""

from typing import Any

from tinyseal_host.model.convolution import Window
from tinyseal_host.model.layers import (
    Addition,
    Alias,
    Convolution,
    Depthwise,
    Filter,
    FullyConnected,
    Pool,
    Softmax,
)
from tinyseal_host.model.network import Network
from tinyseal_host.model.quantisation import Requantisation


def plain_layers(network: Network) -> list[dict[str, Any]]:
    """Aliases left out; NotImplementedError for what `plain_network` has no loop for."""
    made_by = {network.input.index: -1}
    layers: list[dict[str, Any]] = []
    for layer in network.layers:
        sources = [made_by[tensor.index] for tensor in layer.inputs]
        if isinstance(layer.computation, Alias):
            made_by[layer.output.index] = sources[0]
            continue
        made_by[layer.output.index] = len(layers)
        entry = {"operator": type(layer.computation).__name__, "inputs": tuple(sources), "length": layer.output.size}
        layers.append(entry | _operands(layer.computation))
    return layers


def _operands(computation: object) -> dict[str, Any]:
    match computation:
        case FullyConnected(rows, pixels):
            return _filter(rows) | {"pixels": pixels}
        case Convolution(rows, window) if _undilated(window):
            return _filter(rows) | _window(window)
        case Depthwise(rows, window, 1) if _undilated(window):
            return _filter(rows) | _window(window)
        case Pool(window, True, low, high):
            return _window(window) | {"low": low, "high": high}
        case Addition(operands, a, b, False, requantisation) if (
            operands.constant is None and operands.period == operands.length
        ):
            return _requantisation(requantisation) | {
                f"{name}_{field}": value
                for name, scaled in (("a", a), ("b", b))
                for field, value in (
                    ("zero", scaled.zero_point),
                    ("q31", int(scaled.multiplier.q31[0])),
                    ("right", int(scaled.multiplier.right[0])),
                )
            }
        case Softmax(1, _, exponentials):
            return {"exponentials": exponentials.tolist()}
        case _:
            raise NotImplementedError(f"no plain loop for {type(computation).__name__} of this kind")


def _undilated(window: Window) -> bool:
    return window.height.dilation == window.width.dilation == 1


def _filter(rows: Filter) -> dict[str, Any]:
    m, k = rows.weights.shape
    return {
        "weights": rows.weights.reshape(-1).tolist(),
        "bias": rows.bias.tolist(),
        "in_zero": rows.input_zero_point,
        "k": k,
        "m": m,
        **_requantisation(rows.requantisation),
    }


def _requantisation(requantisation: Requantisation) -> dict[str, Any]:
    multiplier = requantisation.multiplier
    return {
        "q31": multiplier.q31.tolist(),
        "left": multiplier.left.tolist(),
        "right": multiplier.right.tolist(),
        "zero": requantisation.zero_point,
        "low": requantisation.low,
        "high": requantisation.high,
    }


def _window(window: Window) -> dict[str, int]:
    height, width = window.height, window.width
    return {
        **{"in_h": height.size, "in_w": width.size, "c": window.channels},
        **{"kernel_h": height.kernel, "kernel_w": width.kernel},
        **{"stride_h": height.stride, "stride_w": width.stride},
        **{"top": height.before, "side": width.before},
        **{"out_h": height.out, "out_w": width.out},
    }
