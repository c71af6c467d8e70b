"""Writes small `.tflite` files for tests, with the object API that comes with TensorFlow Lite Micro's wheel."""

from dataclasses import dataclass, field

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}
_SCHEMA_VERSION = 3


@dataclass
class TfliteWriter:
    """One graph in the making: add tensors and operators in order, then `finish`."""

    tensors: list = field(default_factory=list)
    buffers: list = field(default_factory=lambda: [schema.BufferT()])
    codes: list = field(default_factory=list)
    operators: list = field(default_factory=list)

    def tensor(self, shape, dtype=np.int8, *, scale=None, zero_point=None, dimension=0, data=None):
        """Add a tensor and return its index; `scale` and `zero_point` are a number or a list of them."""
        tensor = schema.TensorT()
        tensor.shape = [int(size) for size in shape]
        tensor.type = _TYPES[np.dtype(dtype)]
        tensor.name = f"t{len(self.tensors)}"
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(np.asarray(scale, np.float32))
            points = 0 if zero_point is None else zero_point
            tensor.quantization.zeroPoint = np.broadcast_to(
                np.asarray(points, np.int64), np.shape(np.atleast_1d(scale))
            )
            tensor.quantization.quantizedDimension = dimension
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, data, **quantisation):
        """Add a constant tensor of a numpy array's shape and type."""
        return self.tensor(data.shape, data.dtype, data=data, **quantisation)

    def operator(self, name, inputs, outputs, options=None):
        """Add an operator by its BuiltinOperator name; `options` is an object of the schema, `Conv2DOptionsT` say."""
        number = getattr(schema.BuiltinOperator, name)
        code = schema.OperatorCodeT()
        code.deprecatedBuiltinCode, code.builtinCode = min(number, 127), number
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, kind), options
        self.codes.append(code)
        self.operators.append(operator)

    def finish(self, inputs, outputs):
        """The file's bytes."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = schema.ModelT()
        model.version = _SCHEMA_VERSION
        model.operatorCodes, model.subgraphs, model.buffers = self.codes, [graph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def options(kind, **fields):
    """An options object, its fields named as in the schema: `options("Conv2DOptions", strideW=2)`."""
    made = getattr(schema, f"{kind}T")()
    for name, value in fields.items():
        if name not in vars(made):
            raise AttributeError(f"{kind} has no field {name}")
        setattr(made, name, value)
    return made


PADDING = {"SAME": schema.Padding.SAME, "VALID": schema.Padding.VALID}
ACTIVATION = {
    "NONE": schema.ActivationFunctionType.NONE,
    "RELU": schema.ActivationFunctionType.RELU,
    "RELU6": schema.ActivationFunctionType.RELU6,
    "RELU_N1_TO_1": schema.ActivationFunctionType.RELU_N1_TO_1,
}
