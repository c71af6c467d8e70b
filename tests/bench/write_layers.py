"""Writes the layers that `tinyseal bench` measures, one for each kernel: `python -m bench.write_layers` in `tests/`."""

from pathlib import Path

from tinyseal_host import bench

from . import layer_files
from .layer_files import LayerFile

FOLDER = Path(bench.__file__).parent / "layers"
_SIZE = (12, 12)
_C = 16
_MAP = (1, *_SIZE, _C)


def layers() -> dict[str, LayerFile]:
    """By the name of the file. They are small: a board with little memory has to hold each."""
    return {
        "dense": layer_files.dense(256, 64),
        "conv_1x1": layer_files.convolution(_SIZE, 32, 16, (1, 1)),
        "conv_3x3": layer_files.convolution(_SIZE, _C, 16, (3, 3)),
        "conv_strided": layer_files.convolution(_SIZE, 3, 16, (3, 3), stride=2),
        "depthwise_3x3": layer_files.depthwise(_SIZE, _C, (3, 3)),
        "depthwise_5x5": layer_files.depthwise(_SIZE, _C, (5, 5)),
        "max_pool": layer_files.pool("MAX_POOL_2D", _SIZE, _C, (2, 2)),
        "average_pool": layer_files.pool("AVERAGE_POOL_2D", _SIZE, _C, (2, 2)),
        "mean": layer_files.mean(_SIZE, _C),
        "softmax": layer_files.softmax(12, 16),
        "map": layer_files.logistic(_MAP),
        "add": layer_files.pair("ADD", _MAP, constant=True),
        "mul": layer_files.pair("MUL", _MAP, constant=True),
        "minimum": layer_files.pair("MINIMUM", _MAP, constant=True),
        "maximum": layer_files.pair("MAXIMUM", _MAP, constant=True),
        "pad": layer_files.pad(_SIZE, _C, 2),
        "transpose": layer_files.transpose(_MAP, (0, 3, 1, 2)),
    }


def main() -> None:
    """All of them, in the host package."""
    FOLDER.mkdir(exist_ok=True)
    for name, layer in layers().items():
        (FOLDER / f"{name}.tflite").write_bytes(layer.data)


if __name__ == "__main__":
    main()
