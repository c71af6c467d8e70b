"""An int8 network as one writes it in plain MicroPython, without viper: what the firmware's kernels are compared with.

`load(layers)` takes what `plain_layers` on the host gives; `run(layers, frame)` an array("b"), and returns another.
Loops over arrays, with what does not change moved out of the innermost; the arithmetic is TensorFlow Lite Micro's.
"""

from array import array


def load(layers):
    """Make arrays of the layers' lists, and an array for each output."""
    for layer in layers:
        for name, value in layer.items():
            if type(value) is list:
                layer[name] = array("b" if name == "weights" else "q", value)
        layer["output"] = array("b", bytes(layer["length"]))


def run(layers, frame):
    """The last layer's output for an int8 frame."""
    values = {-1: frame}
    for number, layer in enumerate(layers):
        OPERATORS[layer["operator"]](layer, [values[source] for source in layer["inputs"]], layer["output"])
        values[number] = layer["output"]
    return layers[-1]["output"]


def multiply(value, q31, left, right):
    """MultiplyByQuantizedMultiplier."""
    value = ((value << left) * q31 + (1 << 30)) >> 31
    if right:
        value = (value + (1 << (right - 1)) - (value < 0)) >> right
    return value


def clamped(value, low, high):
    """A value within the limits of the activation."""
    return low if value < low else high if value > high else value


def dense(layer, inputs, output):
    """FULLY_CONNECTED."""
    x, w, bias = inputs[0], layer["weights"], layer["bias"]
    q31, left, right = layer["q31"], layer["left"], layer["right"]
    zero, out_zero, low, high = layer["in_zero"], layer["zero"], layer["low"], layer["high"]
    k, m = layer["k"], layer["m"]
    for pixel in range(layer["pixels"]):
        for row in range(m):
            total = bias[row]
            xi = pixel * k
            wi = row * k
            for i in range(k):
                total += (x[xi + i] - zero) * w[wi + i]
            total = multiply(total, q31[row], left[row], right[row]) + out_zero
            output[pixel * m + row] = clamped(total, low, high)


def convolution(layer, inputs, output):
    """CONV_2D without dilation."""
    x, w, bias = inputs[0], layer["weights"], layer["bias"]
    q31, left, right = layer["q31"], layer["left"], layer["right"]
    zero, out_zero, low, high = layer["in_zero"], layer["zero"], layer["low"], layer["high"]
    in_h, in_w, c, m = layer["in_h"], layer["in_w"], layer["c"], layer["m"]
    kernel_h, kernel_w, stride_h, stride_w = layer["kernel_h"], layer["kernel_w"], layer["stride_h"], layer["stride_w"]
    at = 0
    for out_y in range(layer["out_h"]):
        for out_x in range(layer["out_w"]):
            top = out_y * stride_h - layer["top"]
            side = out_x * stride_w - layer["side"]
            for row in range(m):
                total = bias[row]
                for ky in range(kernel_h):
                    y = top + ky
                    if not 0 <= y < in_h:
                        continue
                    for kx in range(kernel_w):
                        column = side + kx
                        if not 0 <= column < in_w:
                            continue
                        xi = (y * in_w + column) * c
                        wi = ((row * kernel_h + ky) * kernel_w + kx) * c
                        for i in range(c):
                            total += (x[xi + i] - zero) * w[wi + i]
                total = multiply(total, q31[row], left[row], right[row]) + out_zero
                output[at] = clamped(total, low, high)
                at += 1


def depthwise(layer, inputs, output):
    """DEPTHWISE_CONV_2D without dilation, one output channel an input channel."""
    x, w, bias = inputs[0], layer["weights"], layer["bias"]
    q31, left, right = layer["q31"], layer["left"], layer["right"]
    zero, out_zero, low, high = layer["in_zero"], layer["zero"], layer["low"], layer["high"]
    in_h, in_w, c = layer["in_h"], layer["in_w"], layer["c"]
    kernel_h, kernel_w, stride_h, stride_w = layer["kernel_h"], layer["kernel_w"], layer["stride_h"], layer["stride_w"]
    at = 0
    for out_y in range(layer["out_h"]):
        for out_x in range(layer["out_w"]):
            top = out_y * stride_h - layer["top"]
            side = out_x * stride_w - layer["side"]
            for channel in range(c):
                total = bias[channel]
                for ky in range(kernel_h):
                    y = top + ky
                    if not 0 <= y < in_h:
                        continue
                    wi = (channel * kernel_h + ky) * kernel_w
                    for kx in range(kernel_w):
                        column = side + kx
                        if 0 <= column < in_w:
                            total += (x[(y * in_w + column) * c + channel] - zero) * w[wi + kx]
                total = multiply(total, q31[channel], left[channel], right[channel]) + out_zero
                output[at] = clamped(total, low, high)
                at += 1


def average_pool(layer, inputs, output):
    """AVERAGE_POOL_2D."""
    x = inputs[0]
    in_h, in_w, c, low, high = layer["in_h"], layer["in_w"], layer["c"], layer["low"], layer["high"]
    at = 0
    for out_y in range(layer["out_h"]):
        for out_x in range(layer["out_w"]):
            top = out_y * layer["stride_h"] - layer["top"]
            side = out_x * layer["stride_w"] - layer["side"]
            rows = range(max(top, 0), min(top + layer["kernel_h"], in_h))
            columns = range(max(side, 0), min(side + layer["kernel_w"], in_w))
            count = len(rows) * len(columns)
            for channel in range(c):
                total = 0
                for y in rows:
                    for column in columns:
                        total += x[(y * in_w + column) * c + channel]
                mean = (abs(total) + count // 2) // count
                output[at] = clamped(mean if total > 0 else -mean, low, high)
                at += 1


def add(layer, inputs, output):
    """ADD of two tensors of one shape."""
    a, b = inputs
    a_zero, b_zero, zero, low, high = layer["a_zero"], layer["b_zero"], layer["zero"], layer["low"], layer["high"]
    a_q31, a_right = layer["a_q31"], layer["a_right"]
    b_q31, b_right = layer["b_q31"], layer["b_right"]
    q31, right = layer["q31"][0], layer["right"][0]
    for i in range(len(output)):
        total = multiply((a[i] - a_zero) << 20, a_q31, 0, a_right) + multiply((b[i] - b_zero) << 20, b_q31, 0, b_right)
        output[i] = clamped(multiply(total, q31, 0, right) + zero, low, high)


def softmax(layer, inputs, output):
    """SOFTMAX of one row, from the exponentials of distances in Q0.31; gemmlowp's reciprocal by Newton's iteration."""
    x, exponentials = inputs[0], layer["exponentials"]
    top = max(x)
    total = 0
    for value in x:
        total += multiply(exponentials[top - value], 1 << 30, 1, 12)
    headroom = 0
    while total < 1 << 31:
        total <<= 1
        headroom += 1
    half = total >> 1  # of 1 + a, in Q0.31
    estimate = 1515870810 + multiply(half, -1010580540, 0, 0)
    for _ in range(3):
        estimate += multiply(estimate, (1 << 29) - multiply(half, estimate, 0, 0), 0, 0) << 2
    scale = min(estimate << 1, (1 << 31) - 1)
    for i in range(len(x)):
        product = multiply(exponentials[top - x[i]], scale, 0, 35 - headroom)
        output[i] = clamped(product - 128, -128, 127)


OPERATORS = {
    "FullyConnected": dense,
    "Convolution": convolution,
    "Depthwise": depthwise,
    "Pool": average_pool,
    "Addition": add,
    "Softmax": softmax,
}
