"""Runs one peer over pictures, in a process of its own so that its memory, start and threads are its own.

Prints a JSON object a picture as soon as it is read: {"id", "ms" (wall), "cpu_ms" (of the whole process)}, from the file on the disk to
the words. It writes OUT/task1/ID.txt and OUT/task2/ID.txt as `evaluate sroie --predictions` documents them.
A peer that can't run here ends with one line of reason on stderr.
"""

import argparse
import ctypes
import json
import os
import sys
import time
from pathlib import Path


def rectangle(left, top, right, bottom):
    return [left, top, right, top, right, bottom, left, bottom]


class FasterPaddle:
    """Rust and ONNX Runtime; its nets are part of its library. Gives upright boxes."""

    def __init__(self, size, threads, models):
        import faster_paddle

        self.engine = faster_paddle.OcrEngine(model_size=size, threads=threads)

    def read(self, picture):
        bounds = self.engine.ocr(picture.read_bytes())["bounds"].values()
        return [(rectangle(*line["topLeftCoord"], *line["bottomRightCoord"]), line["text"]) for line in bounds]


class RapidOcr:
    """Python, OpenCV and ONNX Runtime. The small nets are in the package; the tiny ones it would download, so they are given as files.

    The classifier of lines that stand on their head is left off: on upright receipts it costs words and time.
    """

    def __init__(self, size, threads, models):
        import cv2
        from rapidocr import RapidOCR

        cv2.setNumThreads(threads)
        options = {
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "critical",
            "Global.use_cls": False,
        }
        if size == "tiny":
            names = {"Det.model_path": "det_tiny.onnx", "Rec.model_path": "rec_tiny.onnx", "Rec.rec_keys_path": "dict_tiny.txt"}
            files = {option: models / name for option, name in names.items()}
            missing = [file.name for file in files.values() if not file.is_file()]
            if missing:
                sys.exit(f"not in the package, and the folder of MODELS= has no {', '.join(missing)}")
            options |= {option: str(file) for option, file in files.items()}
        self.engine = RapidOCR(params=options)

    def read(self, picture):
        result = self.engine(picture)
        if result.txts is None:
            return []
        return [([round(float(v)) for point in box for v in point], text) for box, text in zip(result.boxes, result.txts)]


class Tesseract:
    """Debian's library by its C interface, so that the model is loaded once, as with the others. Page mode 4: a column of lines."""

    LINE, WORD = "4", "5"  # levels in Tesseract's table

    def __init__(self, size, threads, models):
        try:
            self.tesseract, self.leptonica = ctypes.CDLL("libtesseract.so.5"), ctypes.CDLL("liblept.so.5")
        except OSError:
            sys.exit("Tesseract 5 is not installed (apt-get install tesseract-ocr)")
        for function in (self.tesseract.TessBaseAPICreate, self.tesseract.TessBaseAPIGetTsvText, self.leptonica.pixRead):
            function.restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.tesseract.TessBaseAPICreate())
        if self.tesseract.TessBaseAPIInit3(self.handle, None, b"eng"):
            sys.exit("Tesseract has no English model (apt-get install tesseract-ocr-eng)")
        self.tesseract.TessBaseAPISetPageSegMode(self.handle, 4)

    def read(self, picture):
        pixels = ctypes.c_void_p(self.leptonica.pixRead(os.fsencode(picture)))
        self.tesseract.TessBaseAPISetImage2(self.handle, pixels)
        text = ctypes.c_void_p(self.tesseract.TessBaseAPIGetTsvText(self.handle, 0))
        rows = [row.split("\t") for row in ctypes.string_at(text).decode().splitlines()]
        self.tesseract.TessDeleteText(text)
        self.leptonica.pixDestroy(ctypes.byref(pixels))
        lines = []
        for level, *_, left, top, width, height, _confidence, word in rows:
            if level == self.LINE:
                left, top = int(left), int(top)
                lines.append((rectangle(left, top, left + int(width), top + int(height)), []))
            elif level == self.WORD and word.strip():
                lines[-1][1].append(word)
        return [(box, " ".join(words)) for box, words in lines if words]


ENGINES = {"faster-paddle": FasterPaddle, "rapidocr": RapidOcr, "tesseract": Tesseract}


def write(out, name, lines):
    """A word a line, split on white space as ours are."""
    boxes = [",".join(map(str, box)) for box, _ in lines]
    words = [word for _, text in lines for word in text.split()]
    for task, written in (("task1", boxes), ("task2", words)):
        (out / task).mkdir(parents=True, exist_ok=True)
        (out / task / f"{name}.txt").write_text("".join(f"{line}\n" for line in written))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--size", help="of the nets, where there are several: small or tiny")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--models", type=Path, required=True, help="folder of nets that are in no package")
    parser.add_argument("--out", type=Path, required=True, help="folder to write predictions to")
    parser.add_argument("pictures", type=Path, nargs="+")
    args = parser.parse_args()
    engine = ENGINES[args.engine](args.size, args.threads, args.models)
    for picture in args.pictures:
        wall, cpu = time.perf_counter(), time.process_time()
        lines = engine.read(picture)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"id": picture.stem, "ms": wall * 1e3, "cpu_ms": cpu * 1e3}), flush=True)
        write(args.out, picture.stem, lines)


if __name__ == "__main__":
    main()
