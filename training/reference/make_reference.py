"""Writes what ONNX Runtime computes, for tests/import.rs to compare with.

    python make_reference.py FOLDER_OF_PP_OCRV6 ../tests/reference

For each network the weights as published (`NAME.safetensors`: input and output; the test needs the published ONNX file beside it),
and for the recogniser the same graph with a quarter of the channels and random weights (`recognise_quarter.onnx` too, so that the
test needs nothing else). Needs onnx, onnxruntime, numpy and Pillow.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image, ImageDraw, ImageFont

# Of the small recogniser: the blank, characters of which the first are printable ASCII without the space, the space.
SMALL_CLASSES = 256


def printed(height, width, lines, size):
    """A picture of 0 to 1 with lines of black print on light grey."""
    picture = Image.new("L", (width, height), 230)
    for i, line in enumerate(lines):
        ImageDraw.Draw(picture).text((6, 6 + i * size * 2), line, fill=30, font=ImageFont.load_default(size))
    return np.asarray(picture, dtype=np.float32) / 255


def quarter(model, classes):
    """The graph with a quarter of the channels, random weights and `classes` outputs of the last linear layer."""
    random = np.random.default_rng(1)
    convolutions = {node.input[1] for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose", "MatMul")}
    variances = {node.input[4] for node in model.graph.node if node.op_type == "BatchNormalization"}
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "group" and attribute.i > 1:
                attribute.i //= 4
    for tensor in model.graph.initializer:
        old = numpy_helper.to_array(tensor)
        if old.dtype != np.float32 or old.size <= 4:
            if len(old.shape) < 3:
                continue
        if "constant" in tensor.name:
            continue
        shape = [classes if d == 6906 else d // 4 if i < 2 and d > 4 else d for i, d in enumerate(old.shape)]
        if tensor.name in convolutions:
            inputs = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
            new = random.normal(0, (1.5 / inputs) ** 0.5, shape)
        else:
            new = random.normal(0, 0.1, shape) if tensor.name not in variances else random.uniform(0.5, 2, shape)
        tensor.CopyFrom(numpy_helper.from_array(new.astype(np.float32), tensor.name))
    del model.graph.value_info[:]
    return model


def run(model, picture, output):
    """The value `output` of the graph for a grey picture `[h, w]`."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    model.graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run([output], {"x": np.repeat(picture[None, None], 3, axis=1)})[0]


def write(path, **tensors):
    """A safetensors file."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)


def main(published, out):
    localise = onnx.load(published / "det_tiny.onnx")
    recognise = onnx.load(published / "rec_tiny.onnx")
    logits = recognise.graph.node[-1].input[0]
    page, line = printed(96, 160, ["TOTAL 12.50", "9 x beer"], 20), printed(48, 160, ["TOTAL 12.5"], 26)

    probability = run(localise, (page - 0.449) / 0.226, localise.graph.output[0].name)
    write(out / "localise.safetensors", input=(page - 0.449) / 0.226, output=probability[0, 0])

    def recognised(name, model, classes):
        scores = run(model, line * 2 - 1, logits)
        write(out / f"{name}.safetensors", input=line * 2 - 1, output=scores[0][:, classes])

    dictionary = (published / "dict_tiny.txt").read_text(encoding="utf-8").splitlines()
    recognised("recognise", recognise, [0, len(dictionary) + 1] + [dictionary.index(chr(c)) + 1 for c in range(33, 127)])
    small = quarter(recognise, SMALL_CLASSES)
    recognised("recognise_quarter", small, [0, SMALL_CLASSES - 1] + list(range(1, 95)))
    onnx.save(small, out / "recognise_quarter.onnx")


main(Path(sys.argv[1]), Path(sys.argv[2]))
