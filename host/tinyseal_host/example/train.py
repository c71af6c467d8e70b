"""Train the example model: four activities from a smart watch's accelerometer and gyroscope.

Run once, offline; what it writes beside itself is kept in the tree, and nothing else imports it.

    python3.11 -m venv train-venv
    train-venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6 pyts==0.14.1 \
        tflite==2.18.0 tflite-micro==0.dev20261023182759
    train-venv/bin/python train.py

It writes motion.tflite, training.npy, frames.npy, labels.npy and expected.npy. With `--out DIR` they go there
instead, so that a second run can be compared with the first byte by byte. motion.toml is made from training.npy.

The test split is used for nothing but the accuracy printed at the end and the last three files: weights and input
scale come from the 40 training recordings, and the recipe was judged by cross-validation among them.
"""

# TensorFlow and pyts are no requirements of the project, so a type checker does not find them.
# mypy: ignore-errors

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its kernels, and so the weights' last bits, differ from CPU to CPU

import keras
import numpy as np
import tensorflow as tf
import tflite
from pyts.datasets import load_basic_motions
from tflite_micro import runtime

SAMPLES = 100  # ten seconds at 10 Hz
CHANNELS = 6  # accelerometer x, y, z; gyroscope x, y, z
LABELS = ("standing", "running", "walking", "badminton")
ALLOWED_OPERATORS = {"EXPAND_DIMS", "CONV_2D", "RESHAPE", "MEAN", "FULLY_CONNECTED", "SOFTMAX"}
SIZE_LIMIT = 20 * 1024

SEED = 20
EPOCHS = 30
COPIES = 24  # augmented copies of every training recording
INPUT_UNIT = 10.0  # the network is trained on value / INPUT_UNIT; the first kernel takes the division over


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and test frames, float32 [n, 100, 6], and their labels, uint8 [n]."""
    train, test, train_names, test_names = load_basic_motions(return_X_y=True)

    def frames(recordings: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(recordings.transpose(0, 2, 1), dtype=np.float32)  # [n, 6, 100] -> [n, 100, 6]

    def labels(names: np.ndarray) -> np.ndarray:
        return np.array([LABELS.index(name.lower()) for name in names], dtype=np.uint8)

    return frames(train), labels(train_names), frames(test), labels(test_names)


def augment(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """COPIES variants of every recording: another start, a stronger or weaker wearer, a noisier sensor."""
    rng = np.random.default_rng(seed)
    frames, labels = [], []
    for recording, label in zip(x, y, strict=True):
        for _ in range(COPIES):
            started = np.roll(recording, rng.integers(SAMPLES), axis=0)
            scaled = started * rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, CHANNELS)
            frames.append(scaled + rng.normal(0.0, 0.1, scaled.shape))
            labels.append(label)
    return np.array(frames, dtype=np.float32), np.array(labels)


def network(batch_size: int | None) -> keras.Model:
    """One convolution with padding, one without, one with: [100, 6] -> [50, 16] -> [23, 24] -> [12, 32] -> [4]."""
    return keras.Sequential(
        [
            keras.Input((SAMPLES, CHANNELS), batch_size=batch_size, name="frame"),
            keras.layers.Conv1D(16, 5, strides=2, padding="same", activation="relu", name="conv1"),
            keras.layers.Conv1D(24, 5, strides=2, padding="valid", activation="relu", name="conv2"),
            keras.layers.Conv1D(32, 3, strides=2, padding="same", activation="relu", name="conv3"),
            keras.layers.GlobalAveragePooling1D(name="mean"),
            keras.layers.Dense(len(LABELS), activation="softmax", name="dense"),
        ],
        name="motion",
    )


def train(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """A network for a batch of one that takes the sensor's own values."""
    keras.utils.set_random_seed(SEED)
    frames, labels = augment(x, y, SEED)
    model = network(None)
    # Smoothed labels keep the probabilities off 0 and 1, so that an output byte says how sure the network is.
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.Adam(2e-3, weight_decay=1e-3), loss)
    wanted = np.eye(len(LABELS), dtype=np.float32)[labels]
    model.fit(frames / INPUT_UNIT, wanted, batch_size=32, epochs=EPOCHS, verbose=0)
    weights = model.get_weights()
    weights[0] = weights[0] / INPUT_UNIT
    # With a fixed batch the converter knows every shape and needs no SHAPE, STRIDED_SLICE and PACK.
    fixed = network(1)
    fixed.set_weights(weights)
    return fixed


def float_accuracy(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    """Share of X that the float network gets right."""
    top = [int(np.argmax(model(frame[None], training=False)[0])) for frame in x]
    return float(np.mean(np.array(top) == y))


def cross_validate(x: np.ndarray, y: np.ndarray, block: int) -> float:
    """Accuracy on BLOCK neighbouring recordings of every class left out at a time; neighbours are likely one wearer."""
    position = np.array([np.sum(y[:i] == y[i]) for i in range(len(y))])  # within its class
    accuracies = []
    for start in range(0, int(position.max()) + 1, block):
        held_out = (position >= start) & (position < start + block)
        accuracies.append(float_accuracy(train(x[~held_out], y[~held_out]), x[held_out], y[held_out]))
    return float(np.mean(accuracies))


def convert(model: keras.Model, x: np.ndarray) -> bytes:
    """Every tensor int8, activation scales from X."""

    def representative() -> Iterator[list[np.ndarray]]:
        for frame in x:
            yield [frame[None]]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def quantise(x: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 of round-half-away-from-zero(x / scale) + zero point; the quotient is float32, as in TFLM's QUANTIZE."""
    quotient = (x.astype(np.float32) / np.float32(scale)).astype(np.float64)  # exact from here on
    rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
    return np.clip(rounded + zero_point, -128, 127).astype(np.int8)


def run_int8(content: bytes, x: np.ndarray) -> np.ndarray:
    """TensorFlow Lite Micro's output bytes, int8 [n, 4]."""
    interpreter = runtime.Interpreter.from_bytes(content)
    quantisation = interpreter.get_input_details(0)["quantization_parameters"]
    frames = quantise(x, quantisation["scales"][0], int(quantisation["zero_points"][0]))
    outputs = []
    for frame in frames:
        interpreter.set_input(frame[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.array(outputs)


def check_operators(content: bytes) -> None:
    """Leave with a message when the converter used an operator that the example should not have."""
    names = {code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
    model = tflite.Model.GetRootAs(content)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    found = {names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes}
    if not found <= ALLOWED_OPERATORS:
        raise SystemExit(f"operators outside the wanted set: {sorted(found - ALLOWED_OPERATORS)}")


def macs(model: keras.Model) -> int:
    """Multiply-accumulates for one frame, those with padding counted."""
    total = 0
    for layer in model.layers:
        if layer.weights:
            positions = layer.output.shape[1] if len(layer.output.shape) == 3 else 1
            total += positions * int(np.prod(layer.kernel.shape))
    return total


def main() -> None:
    """Train, convert, check and write."""
    parser = argparse.ArgumentParser(description="train the example model and write it with its frames")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to (here)")
    out = parser.parse_args().out

    tf.config.experimental.enable_op_determinism()
    x, y, x_test, y_test = load()
    print(f"cross-validation, 2 recordings of a class left out: {cross_validate(x, y, 2):.3f}")
    print(f"cross-validation, 5 recordings of a class left out: {cross_validate(x, y, 5):.3f}")

    model = train(x, y)
    content = convert(model, x)
    check_operators(content)
    if len(content) > SIZE_LIMIT:
        raise SystemExit(f"motion.tflite has {len(content)} bytes, wanted at most {SIZE_LIMIT}")
    outputs = run_int8(content, x_test)

    out.mkdir(parents=True, exist_ok=True)
    (out / "motion.tflite").write_bytes(content)
    for name, frames in (("training.npy", x), ("frames.npy", x_test)):
        np.save(out / name, frames.reshape(len(frames), -1))  # sample after sample, channels side by side
    np.save(out / "labels.npy", y_test)
    np.save(out / "expected.npy", outputs)

    print(f"motion.tflite: {len(content)} bytes, {macs(model)} MACs")
    print(f"float accuracy on the test split: {float_accuracy(model, x_test, y_test):.3f}")
    print(f"int8 accuracy on the test split: {np.mean(outputs.argmax(axis=1) == y_test):.3f}")


if __name__ == "__main__":
    main()
