"""The options of the operators whose options matter, by the field numbers of TensorFlow's `schema.fbs`."""

from __future__ import annotations

from tflite import ActivationFunctionType, BuiltinOptions, FullyConnectedOptionsWeightsFormat, Padding

Option = int | float | str
Kind = str | dict[int, str]
"""A struct code, or the names of an enumeration."""


def names_of(enumeration: type) -> dict[int, str]:
    """The names of an enumeration of the schema, by number."""
    return {code: name for name, code in vars(enumeration).items() if isinstance(code, int) and name[0] != "_"}


_ACTIVATIONS = names_of(ActivationFunctionType)
_PADDINGS = names_of(Padding)
_WEIGHTS_FORMATS = names_of(FullyConnectedOptionsWeightsFormat)
_POOL_OPTIONS: dict[str, tuple[int, Kind, Option]] = {
    "padding": (0, _PADDINGS, "SAME"),
    "stride_w": (1, "i", 0),
    "stride_h": (2, "i", 0),
    "kernel_w": (3, "i", 0),
    "kernel_h": (4, "i", 0),
    "activation": (5, _ACTIVATIONS, "NONE"),
}
OPTIONS: dict[str, tuple[int, dict[str, tuple[int, Kind, Option]]]] = {
    "CONV_2D": (
        BuiltinOptions.Conv2DOptions,
        {
            "padding": (0, _PADDINGS, "SAME"),
            "stride_w": (1, "i", 0),
            "stride_h": (2, "i", 0),
            "activation": (3, _ACTIVATIONS, "NONE"),
            "dilation_w": (4, "i", 1),
            "dilation_h": (5, "i", 1),
        },
    ),
    "FULLY_CONNECTED": (
        BuiltinOptions.FullyConnectedOptions,
        {"activation": (0, _ACTIVATIONS, "NONE"), "weights_format": (1, _WEIGHTS_FORMATS, "DEFAULT")},
    ),
    "SOFTMAX": (BuiltinOptions.SoftmaxOptions, {"beta": (0, "f", 0.0)}),
    "DEPTHWISE_CONV_2D": (
        BuiltinOptions.DepthwiseConv2DOptions,
        {
            "padding": (0, _PADDINGS, "SAME"),
            "stride_w": (1, "i", 0),
            "stride_h": (2, "i", 0),
            "multiplier": (3, "i", 0),
            "activation": (4, _ACTIVATIONS, "NONE"),
            "dilation_w": (5, "i", 1),
            "dilation_h": (6, "i", 1),
        },
    ),
    "MAX_POOL_2D": (BuiltinOptions.Pool2DOptions, _POOL_OPTIONS),
    "AVERAGE_POOL_2D": (BuiltinOptions.Pool2DOptions, _POOL_OPTIONS),
    "ADD": (BuiltinOptions.AddOptions, {"activation": (0, _ACTIVATIONS, "NONE")}),
    "SUB": (BuiltinOptions.SubOptions, {"activation": (0, _ACTIVATIONS, "NONE")}),
    "MUL": (BuiltinOptions.MulOptions, {"activation": (0, _ACTIVATIONS, "NONE")}),
    "LEAKY_RELU": (BuiltinOptions.LeakyReluOptions, {"alpha": (0, "f", 0.0)}),
    "CONCATENATION": (
        BuiltinOptions.ConcatenationOptions,
        {"axis": (0, "i", 0), "activation": (1, _ACTIVATIONS, "NONE")},
    ),
    "STRIDED_SLICE": (
        BuiltinOptions.StridedSliceOptions,
        {
            "begin_mask": (0, "i", 0),
            "end_mask": (1, "i", 0),
            "ellipsis_mask": (2, "i", 0),
            "new_axis_mask": (3, "i", 0),
            "shrink_axis_mask": (4, "i", 0),
            "offset": (5, "B", 0),
        },
    ),
}
"""For an operator whose options matter: the options' union number, and field number, type and default of each."""
