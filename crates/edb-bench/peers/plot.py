"""Figures of one series: `edb plot` from a store beside matplotlib (Agg), bare and with tsdownsample, from Parquet with the same samples.

    python plot.py EDB STORE MNEMONIC START STOP_1E6 STOP_1E7 [REPETITIONS]

Each figure is a process of its own, from its start to the file; processes take turns. Needs matplotlib, pyarrow, numpy, tsdownsample.
Prints wall time (median and best), CPU time (best), and peak memory, then the times of downsampling alone.
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

DRAW = """
import sys
import numpy as np
import pyarrow.parquet as pq
import matplotlib
matplotlib.use("Agg")
{setting}
import matplotlib.pyplot as plt
table = pq.read_table(sys.argv[1], columns=["time", "value"])
times = table["time"].to_numpy()
values = table["value"].to_numpy()
{thin}
figure, axes = plt.subplots(figsize=(16, 3.48), dpi=100)
axes.plot({times}, values, linewidth=1)
axes.set_ylabel("V")
figure.savefig(sys.argv[2])
"""
THIN = """
from tsdownsample import {name}
rows = {name}().downsample(times.view("int64"), values, n_out=4000)
times, values = times[rows], values[rows]
"""
# Dates cost matplotlib time of their own: with plain numbers it is at its best.
PLAIN = "times.view('int64')"
PEERS = {
    "matplotlib, dates": DRAW.format(setting="", thin="", times="times"),
    "matplotlib": DRAW.format(setting="", thin="", times=PLAIN),
    "matplotlib, chunks of 10,000": DRAW.format(setting='matplotlib.rcParams["agg.path.chunksize"] = 10000', thin="", times=PLAIN),
    "tsdownsample min-max + matplotlib": DRAW.format(setting="", thin=THIN.format(name="MinMaxDownsampler"), times=PLAIN),
    "tsdownsample M4 + matplotlib": DRAW.format(setting="", thin=THIN.format(name="M4Downsampler"), times=PLAIN),
}

KERNEL = """
import sys, time
import numpy as np
from tsdownsample import MinMaxDownsampler, M4Downsampler
values = np.fromfile(sys.argv[1])
times = np.arange(len(values), dtype=np.int64) * 256000
for name, kernel in (("min-max", MinMaxDownsampler()), ("M4", M4Downsampler())):
    for what, columns in (("values alone", (values,)), ("times and values", (times, values))):
        taken = []
        for _ in range(21):
            start = time.perf_counter()
            kernel.downsample(*columns, n_out=4000)
            taken.append((time.perf_counter() - start) * 1e3)
        taken.sort()
        print(f"  tsdownsample {name}, {what}: best {taken[0]:.2f} ms, median {taken[10]:.2f} ms")
"""


def run(words):
    start = time.perf_counter()
    process = subprocess.Popen(words)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{words[0]} ended with {status}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def main():
    edb, store, mnemonic, start = sys.argv[1:5]
    repetitions = int(sys.argv[7]) if len(sys.argv) > 7 else 5
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        offline = ["--store", store, "--source", "store", "--progress", "never", "--quiet"]
        for points, stop in (("1e6", sys.argv[5]), ("1e7", sys.argv[6])):
            selection = f"{mnemonic}@{start}/{stop}"
            parquet = folder / f"{points}.parquet"
            subprocess.run([edb, "export", selection, "-o", str(parquet), *offline], check=True)
            commands = {"edb plot": [edb, "plot", selection, "-o", str(folder / "edb.png"), *offline]}
            for name, script in PEERS.items():
                commands[name] = [sys.executable, "-c", script, str(parquet), str(folder / "peer.png")]
            seen = {name: [] for name in commands}
            for _ in range(repetitions):
                for name, words in commands.items():
                    seen[name].append(run(words))
            best = statistics.median(one[0] for one in seen["edb plot"])
            print(f"{points} points to PNG, whole process, {repetitions} turns")
            for name, all in seen.items():
                wall = statistics.median(one[0] for one in all)
                cpu = min(one[1] for one in all)
                print(f"  {name}: {wall:.3f} s [{min(one[0] for one in all):.3f}], CPU {cpu:.3f} s, {max(one[2] for one in all):.0f} MB, {wall / best:.1f}x")
        values = folder / "values.f64"
        script = "import numpy as np; np.cumsum(np.random.default_rng(1).normal(size=10_000_000)).tofile(__import__('sys').argv[1])"
        subprocess.run([sys.executable, "-c", script, str(values)], check=True)
        print("downsampling 1e7 values to 4,000")
        kernel = pathlib.Path(edb).parent / "plot"
        for _ in range(2):
            print("  edb-series (times and values):", subprocess.run([kernel, "kernel", values, "1000"], check=True, capture_output=True, text=True).stdout.splitlines()[0])
            subprocess.run([sys.executable, "-c", KERNEL, str(values)], check=True)


main()
