"""The downloads of `raw`, and what it takes to have them as columns, with other libraries.

    edb_service --latency-ms 200                      prints its URL
    python fetch.py URL w1|w2|w3 [PEER ...]           the peers named, or all but the sequential ones

A throw-away environment is enough:

    python3 -m venv venv && venv/bin/pip install requests pyarrow pandas polars numpy

Peers named `_thr8` are requests and a ThreadPoolExecutor of eight threads, with one session per thread; any other number
may be named. `urlretrieve` is what the archive's own script does: one after the other, into files (200 requests of W2 at
500 ms take 100 s, so it has to be asked for).

- `bytes_thr8` receives and throws away
- `pyarrow_thr8`: pyarrow.csv, all four columns, timestamps in microseconds, tables concatenated
- `pandas_thr8`: read_csv (C engine, all four columns), concatenated under a level of keys
- `polars_thr8`: read_csv and an explicit strptime, a column with the mnemonic, concatenated

Each run is a process of its own, so that CPU seconds (all threads; imports excluded) and peak memory are its own. One line
per run, with the CPU seconds of the service beside it.
"""

import concurrent.futures
import datetime
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

PEERS = ["bytes_thr8", "pyarrow_thr8", "pandas_thr8", "polars_thr8"]
FIRST_DAY = datetime.datetime(2024, 3, 1)
DAY = datetime.timedelta(days=1)


def requests_of(workload):
    """The file names of a workload, the same as `Workload::requests` in the crate."""

    def name(mnemonic, start, length):
        return f"B256_{mnemonic:03}-{start:%Y%m%dT%H%M%S}-{start + length:%Y%m%dT%H%M%S}.csv"

    if workload == "w1":
        return [name(mnemonic, FIRST_DAY, DAY) for mnemonic in range(40)]
    if workload == "w2":
        noon = FIRST_DAY + DAY / 2
        return [name(mnemonic, noon, datetime.timedelta(minutes=10)) for mnemonic in range(200)]
    if workload == "w3":
        return [name(0, FIRST_DAY + day * DAY, DAY) for day in range(30)]
    sys.exit(f"expected w1, w2 or w3, found {workload}")


def url_of(base, name):
    return f"{base.rstrip('/')}/api/v0.1/Download/file?uri=mast:jwstedb/{name}"


def in_threads(base, names, threads, use):
    """What `use` makes of each answer, in the order of the names."""
    import requests

    local = threading.local()

    def work(name):
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        response = local.session.get(url_of(base, name), timeout=600)
        response.raise_for_status()
        return use(name, response.content)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, names))


def bytes_(base, names, threads):
    return None, sum(in_threads(base, names, threads, lambda name, body: len(body)))


def pyarrow_(base, names, threads):
    import pyarrow
    import pyarrow.csv

    options = pyarrow.csv.ConvertOptions(
        column_types={"theTime": pyarrow.timestamp("us"), "MJD": pyarrow.float64(), "euvalue": pyarrow.float64()}
    )

    def use(name, body):
        # With its own threads switched off pyarrow was slower still.
        return pyarrow.csv.read_csv(pyarrow.BufferReader(body), convert_options=options)

    table = pyarrow.concat_tables(in_threads(base, names, threads, use))
    return table.num_rows, table


def pandas_(base, names, threads):
    import pandas

    def use(name, body):
        # Spelling the form out (`%Y-%m-%d %H:%M:%S.%f`) takes pandas three times as long as naming it.
        return pandas.read_csv(
            io.BytesIO(body), engine="c", parse_dates=["theTime"], date_format="ISO8601", dtype={"euvalue": "float64"}
        )

    frame = pandas.concat(in_threads(base, names, threads, use), keys=names)
    return len(frame), frame


def polars_(base, names, threads):
    import polars

    types = {"theTime": polars.String, "MJD": polars.Float64, "euvalue": polars.Float64, "sqldataType": polars.String}

    def use(name, body):
        frame = polars.read_csv(body, schema_overrides=types)
        return frame.with_columns(
            polars.col("theTime").str.strptime(polars.Datetime("us"), "%Y-%m-%d %H:%M:%S%.6f"),
            polars.lit(name.split("-")[0]).alias("mnemonic"),
        )

    frame = polars.concat(in_threads(base, names, threads, use))
    return frame.height, frame


def urlretrieve_(base, names, threads):
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            urllib.request.urlretrieve(url_of(base, name), os.path.join(folder, name))
        return None, sum(entry.stat().st_size for entry in os.scandir(folder))


def service_cpu_seconds(base):
    """What `edb_service` has used so far; 0 for any other service."""
    try:
        with urllib.request.urlopen(f"{base.rstrip('/')}/figures") as reply:
            return json.load(reply)["cpu_seconds"]
    except (OSError, ValueError, KeyError):
        return 0.0


def peak_megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024 / 1e6


def run(base, workload, peer):
    """Measures one peer, in this process."""
    kind, _, threads = peer.partition("_thr")
    work = globals()[f"{kind}_"]
    if kind != "urlretrieve":
        import requests  # noqa: F401
    # Imported before the clock starts.
    {"pyarrow": lambda: __import__("pyarrow.csv")}.get(kind, lambda: None)()
    if kind in ("pandas", "polars"):
        __import__(kind)
    names = requests_of(workload)
    service = service_cpu_seconds(base)
    cpu, wall = os.times(), time.perf_counter()
    rows, kept = work(base, names, int(threads or 1))
    wall, after = time.perf_counter() - wall, os.times()
    cpu = after.user + after.system - cpu.user - cpu.system
    service = service_cpu_seconds(base) - service
    load = os.getloadavg()[0]
    rows = f"{rows} rows" if rows is not None else f"{kept / 1e6:.1f} MB"
    print(
        f"{workload} {peer}: {wall:.3f} s, {cpu:.2f} CPU s, peak {peak_megabytes():.1f} MB, {rows}, "
        f"server {service:.2f} CPU s, load {load:.1f}",
        flush=True,
    )


def main():
    words = sys.argv[1:]
    if words[:1] == ["--one"]:
        return run(*words[1:])
    if len(words) < 2:
        sys.exit(__doc__)
    base, workload, *peers = words
    for peer in peers or PEERS:
        subprocess.run([sys.executable, __file__, "--one", base, workload, peer], check=True)


main()
