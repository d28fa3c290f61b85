"""Measures this project's reader and its peers on the same receipts, one engine after the other, each in processes of its own.

Prints a table and writes it as JSON. Standard library only: what runs here stays small, because a child's peak memory counts from its
parent's.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
OURS = "cellarbook"
# (engine, size of its nets or None); peers.py knows how to run them.
PEERS = [
    ("rapidocr", "small"),
    ("rapidocr", "tiny"),
    ("faster-paddle", "small"),
    ("faster-paddle", "tiny"),
    ("tesseract", None),
]
THREADS = (2, 1)
# A cold start is the median of as many: the files are in the disk cache, as they are when a service starts again.
COLD_STARTS = 3
# What libraries read their number of threads from.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS")
# OpenMP's threads (Tesseract's) wait asleep: spinning, on a machine that has other work, made a receipt take many times as long.
WAIT_ASLEEP = {"OMP_WAIT_POLICY": "passive"}
# (key in the results, head of the column, decimals)
COLUMNS = [
    ("words_f1", "words F1", 1),
    ("words_exact_f1", "exact F1", 1),
    ("deteval_hmean", "DetEval", 1),
    ("iou_hmean", "IoU 0.5", 1),
    ("wall_ms_2_threads", "ms, 2 thr.", 0),
    ("wall_ms_1_thread", "ms, 1 thr.", 0),
    ("cpu_ms", "CPU ms", 0),
    ("cold_start_ms", "cold ms", 0),
    ("memory_mb", "MB", 0),
]


class NotAvailable(Exception):
    """An engine that can't run here, with the reason."""


class Run:
    """A finished process that printed a line on stdout for each receipt."""

    def __init__(self, command, threads, log):
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | WAIT_ASLEEP
        with log.open("w+") as stderr:
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
            self.lines = [process.stdout.readline()]
            self.first_ms = (time.perf_counter() - start) * 1e3
            self.lines += process.stdout.readlines()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            stderr.seek(0)
            self.errors = stderr.read().splitlines()
        if process.returncode:
            raise NotAvailable(self.errors[-1] if self.errors else f"exit status {process.returncode}")
        self.cpu_ms = (usage.ru_utime + usage.ru_stime) * 1e3
        self.memory_mb = usage.ru_maxrss / 1024


class Ours:
    """The release programs. Times and memory are those of `extract`, boxes and words are what `evaluate sroie` writes."""

    name = OURS

    def __init__(self, options):
        self.options = options

    @property
    def version(self):
        return run_text([self.options.programs / "extract", "--version"]).split()[-1]

    def command(self, pictures, threads, out):
        return [self.options.programs / "extract", "--timings", "--threads", str(threads), *pictures]

    def times(self, run):
        """Milliseconds of each receipt, of the processor a receipt, and the share of each stage."""
        documents = [json.loads(line) for line in run.errors if line.startswith("{")]
        total = sum(document["ms"] for document in documents)
        stages = {stage: sum(d["stages"][stage] for d in documents) / total for stage in documents[0]["stages"]}
        return [document["ms"] for document in documents], run.cpu_ms / len(documents), stages

    def predict(self, out, ids):
        """Writes boxes and words. Not taken from `extract`, whose places are those of a page set upright."""
        run_text([self.options.programs / "evaluate", "sroie", "--root", self.options.sroie, "--ids", ids, "--predictions", out])


class Peer:
    def __init__(self, options, engine, size):
        self.options, self.engine, self.size = options, engine, size
        self.name = " ".join(filter(None, (engine, size)))

    @property
    def version(self):
        if self.engine == "tesseract":
            return run_text(["tesseract", "--version"]).split()[1]
        try:
            return metadata.version(self.engine)
        except metadata.PackageNotFoundError as error:
            raise NotAvailable(f"{self.engine} is not installed") from error

    def command(self, pictures, threads, out):
        size = ["--size", self.size] if self.size else []
        settings = ["--threads", str(threads), "--models", self.options.models, "--out", out]
        return [sys.executable, HERE / "peers.py", self.engine, *size, *settings, *pictures]

    def times(self, run):
        receipts = [json.loads(line) for line in run.lines]
        return [r["ms"] for r in receipts], statistics.mean(r["cpu_ms"] for r in receipts), None

    def predict(self, out, ids):
        """Nothing to do: the timed runs wrote them, outside of the time that they measured."""


def run_text(command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise NotAvailable(f"{error.filename} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise NotAvailable((error.stderr.strip().splitlines() or [str(error)])[-1]) from error


def picture(options, name):
    return options.sroie / "img" / f"{name}.jpg"


def measure(engine, options, ids):
    """A row of the table."""
    out = options.out / engine.name.replace(" ", "-")
    out.mkdir(parents=True, exist_ok=True)
    names = ids.read_text().split()
    pictures = [picture(options, name) for name in names]
    row = {"version": engine.version}
    for threads in THREADS:
        run = Run(engine.command(pictures, threads, out), threads, out / f"threads-{threads}.log")
        times, cpu_ms, stages = engine.times(run)
        if len(times) != len(names):
            raise NotAvailable(f"{len(times)} of {len(names)} receipts were read")
        row[f"wall_ms_{threads}_thread{'s' if threads > 1 else ''}"] = round(statistics.median(times), 1)
        if threads == 1:
            row["cpu_ms"] = round(cpu_ms, 1)
        if threads == max(THREADS):
            row["memory_mb"] = round(run.memory_mb, 1)
            if stages:
                row["stages"] = {stage: round(share, 4) for stage, share in stages.items()}

    threads = max(THREADS)
    starts = [Run(engine.command(pictures[:1], threads, out), threads, out / "cold.log").first_ms for _ in range(COLD_STARTS)]
    row["cold_start_ms"] = round(statistics.median(starts), 1)

    engine.predict(out, ids)
    evaluate = [options.programs / "evaluate", "predictions", "--root", options.sroie, "--predictions", out, "--ids", ids, "--json"]
    scores = json.loads(run_text(evaluate))
    tallies = {
        "words_f1": scores["task2"]["letters_and_digits"],
        "words_exact_f1": scores["task2"]["exact"],
        "deteval_hmean": scores["task1"]["deteval"],
        "iou_hmean": scores["task1"]["iou"],
    }
    return row | {key: round(tally["f1"] * 100, 1) for key, tally in tallies.items()}


def machine():
    """What the times depend on."""
    text = Path("/proc/cpuinfo").read_text()
    field = lambda name: next(iter(re.findall(rf"^{name}\s*: (.*)$", text, re.MULTILINE)), "unknown")
    instructions = {"avx2", "avx512f", "avx512_vnni"} & set(field("flags").split())
    return {
        "cpu": field("model name"),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": sorted(instructions),
        "load_before": round(os.getloadavg()[0], 2),
    }


def table(rows):
    """Aligned text; an engine that did not run has its reason instead of figures."""
    width = max(map(len, rows))
    head = " " * width + "".join(f"  {title:>10}" for _, title, _ in COLUMNS)
    lines = [head, "-" * len(head)]
    for name, row in rows.items():
        figures = "".join(f"  {row[key]:10.{decimals}f}" for key, _, decimals in COLUMNS if key in row)
        lines.append(f"{name:<{width}}{figures}" if figures else f"{name:<{width}}  not available: {row['not_available']}")
    return "\n".join(lines)


def choose(receipts):
    """Ids of the validation split, spread over it where fewer than all are wanted: neighbours share a supplier."""
    lines = (REPOSITORY / "datasets/splits/sroie-validation.txt").read_text().splitlines()
    ids = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    count = min(receipts or len(ids), len(ids))
    return [ids[i * len(ids) // count] for i in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sroie", type=Path, required=True, help="folder with img/ID.jpg and box/ID.txt")
    parser.add_argument("--receipts", type=int, default=0, help="how many of the validation split [default: all]")
    parser.add_argument("--models", type=Path, required=True, help="folder of nets that are in no package")
    parser.add_argument("--programs", type=Path, default=REPOSITORY / "target/release", help="folder of extract and evaluate")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "out/bench", help="folder for predictions and logs")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    options = parser.parse_args()

    names = choose(options.receipts)
    missing = [name for name in names if not picture(options, name).is_file()]
    if missing:
        sys.exit(f"bench: {picture(options, missing[0])} is missing: SROIE=DIR names a folder with img/ID.jpg and box/ID.txt")
    options.out.mkdir(parents=True, exist_ok=True)
    ids = options.out / "ids.txt"
    ids.write_text("".join(f"{name}\n" for name in names))

    results = {"data": "SROIE, validation split", "receipts": len(names), "machine": machine(), "engines": {}}
    for engine in [Ours(options), *(Peer(options, *peer) for peer in PEERS)]:
        print(f"bench: {engine.name} ...", file=sys.stderr, flush=True)
        try:
            row = measure(engine, options, ids)
        except NotAvailable as reason:
            row = {"not_available": str(reason)}
        results["engines"][engine.name] = row
    options.results.write_text(json.dumps(results, indent=2) + "\n")

    about = results["machine"]
    print(f"{len(names)} receipts, {about['cores']} cores of {about['cpu']}, load before {about['load_before']}\n")
    print(table(results["engines"]))
    stages = results["engines"][OURS].get("stages", {})
    print(f"\nTime of {OURS}: " + ", ".join(f"{stage} {share:.1%}" for stage, share in stages.items()))
    if "not_available" in results["engines"][OURS]:
        sys.exit(1)


if __name__ == "__main__":
    main()
