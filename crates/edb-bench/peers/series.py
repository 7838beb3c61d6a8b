"""Times one operation on time series done by another library, single-threaded, in a process of its own.

    python series_peers.py FOLDER OPERATION PEER [REPETITIONS]

FOLDER holds raw little-endian columns NAME.times.i64 (microseconds since 1970 UTC, increasing) and
NAME.values.f64 (finite): dense_00..19, change_0..4, month, condition. Operations and their peers:

    resample        numpy polars pandas           1-minute mean, min, max, population std, count of dense_00..19
    hold            numpy polars pandas           all 25 series onto the day's 1-s grid, previous value, at most
                                                  5 s old for the dense ones
    linear          numpy polars pandas           dense_01..19 at the times of dense_00, nothing outside
    clip            astropy_2d astropy_loop       month in 5-minute bins: sigma-clipped (3 sigma, 5 iterations)
                    numpy_loop numpy_sorted       mean, median, std
    filter          numpy polars pandas           samples of dense_00 while condition is 1
    resample_large  numpy polars                  as resample, of month ten times over, each 30 days later
                                                  (if it is longer: whole days, enough not to overlap)

The input is loaded as the peer likes it, the operation is run once to warm up and then REPETITIONS times (7),
each timed by the process's CPU time. One JSON line is printed. checksum: resample sum of means + sum of stds;
hold and linear sum of values; clip sum of means + sum of stds; filter sum of values + count; what is missing
left out. rss_mib is the peak of the whole process, loading included. With GIVE_MEMORY_BACK in the environment
the C library treats freed memory as it does by default.
"""

import os

for variable in ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[variable] = "1"  # before the libraries start their threads

import ctypes
import json
import resource
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
TOLERANCE = 5 * SECOND
SIGMA, ITERATIONS = 3.0, 5
# rows worked on together, few enough for their temporaries to stay in the cache
BLOCK_ROWS = 1 << 17
DENSE = [f"dense_{number:02}" for number in range(20)]
CHANGE = [f"change_{number}" for number in range(5)]


def keep_freed_memory():
    """Without this glibc gives big arrays back at once, and numpy faults them in again at every repetition."""
    trim_threshold, mmap_threshold = -1, -3  # from malloc.h
    try:
        ctypes.CDLL(None).mallopt(mmap_threshold, 32 << 20)
        ctypes.CDLL(None).mallopt(trim_threshold, 1 << 30)
    except (AttributeError, OSError):
        pass  # another C library


# ------------------------------------------------------------------------------------------------- input

def load(folder, name):
    times = np.fromfile(folder / f"{name}.times.i64", "<i8")
    values = np.fromfile(folder / f"{name}.values.f64", "<f8")
    # the peers below leave out what only unsorted times or NaN would need
    if len(times) != len(values) or not len(times) or not (times[1:] > times[:-1]).all() or not np.isfinite(values).all():
        sys.exit(f"{name}: want as many times as values, times increasing, values finite")
    return times, values


def load_dense(folder):
    return [load(folder, name) for name in DENSE]


def load_hold(folder):
    """Each series with its tolerance, and the grid."""
    series = [(*load(folder, name), TOLERANCE if name in DENSE else None) for name in DENSE + CHANGE]
    start = series[0][0][0] // DAY * DAY
    return series, start + np.arange(DAY // SECOND) * SECOND


def load_large(folder):
    times, values = load(folder, "month")
    shift = max(30, (times[-1] - times[0]) // DAY + 1) * DAY
    return np.concatenate([times + copy * shift for copy in range(10)]), np.tile(values, 10)


def bins_of(times, step):
    """First row and number of rows of each bin that has rows."""
    edges = np.arange(times[0] // step, times[-1] // step + 2) * step
    positions = np.searchsorted(times, edges)
    counts = np.diff(positions)
    return positions[:-1][counts > 0], counts[counts > 0]


# -------------------------------------------------------------------------------------------- resample

def minutes_numpy(times, values):
    edges = np.arange(times[0] // MINUTE, times[-1] // MINUTE + 2) * MINUTE
    per_block = max(1, BLOCK_ROWS * len(edges) // len(times))
    # a search from block to block first: one over all rows for every edge would wait for memory
    blocks = np.append(np.searchsorted(times, edges[:-1:per_block]), len(times)).tolist()
    parts = []
    for number, (begin, end) in enumerate(zip(blocks, blocks[1:])):
        starts = edges[number * per_block : (number + 1) * per_block]
        inside = values[begin:end]
        positions = np.searchsorted(times[begin:end], starts)
        counts = np.diff(positions, append=end - begin)
        if not counts.all():  # reduceat cannot do an empty bin
            starts, positions, counts = starts[counts > 0], positions[counts > 0], counts[counts > 0]
        if not len(counts):
            continue
        mean = np.add.reduceat(inside, positions) / counts
        deviation = np.repeat(mean, counts)
        np.subtract(inside, deviation, out=deviation)
        np.multiply(deviation, deviation, out=deviation)
        std = np.sqrt(np.add.reduceat(deviation, positions) / counts)
        parts.append((starts, mean, np.minimum.reduceat(inside, positions), np.maximum.reduceat(inside, positions), std, counts))
    return dict(zip(("time", "mean", "min", "max", "std", "count"), map(np.concatenate, zip(*parts))))


def resample_numpy(folder):
    series = load_dense(folder)
    return lambda: [minutes_numpy(*one) for one in series]


def resample_large_numpy(folder):
    times, values = load_large(folder)
    return lambda: [minutes_numpy(times, values)]


def minutes_polars(frame):
    import polars as pl

    # a key known to be sorted needs no hash table; an integer division is cheaper than dt.truncate
    value = pl.col("value")
    return (
        frame.with_columns((pl.col("time") // MINUTE).set_sorted())
        .group_by("time")
        .agg(value.mean().alias("mean"), value.min().alias("min"), value.max().alias("max"),
             value.std(ddof=0).alias("std"), pl.len().alias("count"))
        .with_columns(pl.col("time") * MINUTE)
    )


def resample_polars(folder):
    frames = [frame_polars(*one) for one in load_dense(folder)]
    return lambda: [minutes_polars(frame) for frame in frames]


def resample_large_polars(folder):
    frame = frame_polars(*load_large(folder)).lazy()
    return lambda: [minutes_polars(frame).collect(engine="streaming")]


def resample_pandas(folder):
    import pandas as pd

    series = [pd.Series(values, index=pd.DatetimeIndex(times.astype("M8[us]"))) for times, values in load_dense(folder)]

    def minutes(one):
        groups = one.resample("1min")
        table = pd.DataFrame({"mean": groups.mean(), "min": groups.min(), "max": groups.max(), "std": groups.std(ddof=0), "count": groups.count()})
        return table if table["count"].all() else table[table["count"] > 0]

    return lambda: [minutes(one) for one in series]


def frame_polars(times, values, value="value"):
    import polars as pl

    return pl.DataFrame({"time": pl.Series(times).set_sorted(), value: values})


# ------------------------------------------------------------------------------------------------ hold

def hold_numpy(folder):
    series, grid = load_hold(folder)

    def hold(times, values, tolerance):
        found = np.searchsorted(times, grid, side="right") - 1
        held = found >= 0
        if tolerance is not None:
            held &= grid - times[found] <= tolerance
        return np.where(held, values[found], np.nan)

    return lambda: [hold(*one) for one in series]


def hold_polars(folder):
    series, grid = load_hold(folder)
    import polars as pl

    grid = pl.DataFrame({"time": pl.Series(grid).set_sorted()})
    frames = [(frame_polars(times, values), tolerance) for times, values, tolerance in series]
    return lambda: [grid.join_asof(frame, on="time", tolerance=tolerance, check_sortedness=False)["value"] for frame, tolerance in frames]


def hold_pandas(folder):
    series, grid = load_hold(folder)
    import pandas as pd

    grid = pd.Index(grid)
    series = [(pd.Series(values, index=times), tolerance) for times, values, tolerance in series]
    # less than half the time of merge_asof
    return lambda: [one.reindex(grid, method="ffill", tolerance=tolerance) for one, tolerance in series]


# ---------------------------------------------------------------------------------------------- linear

def load_linear(folder):
    """The wanted times and the series; times as doubles, which hold microseconds exactly for 285 years."""
    (wanted, _), *series = [(times.astype(float), values) for times, values in load_dense(folder)]
    return wanted, series


def linear_numpy(folder):
    wanted, series = load_linear(folder)
    return lambda: [np.interp(wanted, times, values, left=np.nan, right=np.nan) for times, values in series]


def linear_polars(folder):
    wanted, series = load_linear(folder)
    import polars as pl

    wanted = pl.DataFrame({"time": pl.Series(wanted).set_sorted()})
    frames = [frame_polars(times, values) for times, values in series]
    time, value = pl.col("time"), pl.col("value")

    def linear(frame):
        slopes = frame.select(time, value, before=time, slope=(value.diff() / time.diff()).shift(-1, fill_value=0.0))
        # the join leaves null before the first time; after the last it would hold, so that part is left out of it
        end = wanted["time"].search_sorted(frame["time"][-1], side="right")
        joined = wanted[:end].join_asof(slopes, on="time", check_sortedness=False)
        found = joined.select(value + pl.col("slope") * (time - pl.col("before")))["value"]
        return found.extend_constant(None, len(wanted) - end)

    return lambda: [linear(frame) for frame in frames]


def linear_pandas(folder):
    wanted, series = load_linear(folder)
    import pandas as pd

    wanted = pd.Series(wanted, index=wanted.astype("i8"))
    frames = [pd.DataFrame({"time": times, "value": values}, index=times.astype("i8")) for times, values in series]

    def linear(frame):
        # ten times as fast as interpolate(method="index") over the union of the times
        slope = (frame["value"].diff() / frame["time"].diff()).shift(-1, fill_value=0.0)
        before = frame.index.get_indexer(wanted.index, method="pad")
        value, slope, time = (column.array.take(before, allow_fill=True) for column in (frame["value"], slope, frame["time"]))
        found = pd.Series(value + slope * (wanted.array - time), index=wanted.index)
        found[wanted.index > frame.index[-1]] = np.nan
        return found

    return lambda: [linear(frame) for frame in frames]


# ------------------------------------------------------------------------------------------------ clip

def clip_astropy_2d(folder):
    times, values = load(folder, "month")
    from astropy.stats import sigma_clipped_stats

    warnings.simplefilter("ignore")  # of the NaN that fills up the rows

    def clip(rows=256):
        starts, counts = bins_of(times, 5 * MINUTE)
        parts = []
        for first in range(0, len(counts), rows):
            part = counts[first : first + rows]
            padded = np.full((len(part), part.max()), np.nan)
            padded[np.arange(part.max()) < part[:, None]] = values[starts[first] : starts[first] + part.sum()]
            parts.append(sigma_clipped_stats(padded, sigma=SIGMA, maxiters=ITERATIONS, axis=1))
        return np.concatenate(parts, axis=1)

    return clip


def clip_loop(folder, statistics_of):
    times, values = load(folder, "month")

    def clip():
        starts, counts = bins_of(times, 5 * MINUTE)
        parts = [statistics_of(values[start : start + count]) for start, count in zip(starts.tolist(), counts.tolist())]
        return np.array(parts).T

    return clip


def clip_astropy_loop(folder):
    from astropy.stats import sigma_clipped_stats

    # with an axis astropy takes its bounds from compiled code, without one from numpy
    return clip_loop(folder, lambda values: sigma_clipped_stats(values, sigma=SIGMA, maxiters=ITERATIONS, axis=0))


def clip_numpy_loop(folder):
    def statistics_of(values):
        for _ in range(ITERATIONS):
            median, std = np.median(values), np.std(values)
            kept = values[(values >= median - SIGMA * std) & (values <= median + SIGMA * std)]
            if len(kept) == len(values):
                break
            values = kept
        else:
            median, std = np.median(values), np.std(values)
        return values.mean(), median, std

    return clip_loop(folder, statistics_of)


def clip_numpy_sorted(folder):
    """Sorted once, the median is read off and clipping only narrows the slice."""

    def statistics_of(values):
        values = np.sort(values)
        for iteration in range(ITERATIONS + 1):
            count = len(values)
            half = count >> 1
            median = values.item(half) if count & 1 else (values.item(half - 1) + values.item(half)) / 2
            mean = float(np.add.reduce(values)) / count
            deviation = values - mean
            std = (float(deviation.dot(deviation)) / count) ** 0.5
            low, high = median - SIGMA * std, median + SIGMA * std
            if iteration == ITERATIONS or values.item(0) >= low and values.item(count - 1) <= high:
                return mean, median, std
            values = values[values.searchsorted(low) : values.searchsorted(high, side="right")]

    return clip_loop(folder, statistics_of)


# ---------------------------------------------------------------------------------------------- filter

def filter_numpy(folder):
    (times, values), (changes, states) = load(folder, "dense_00"), load(folder, "condition")

    def kept():
        # the few changes are looked up among the many samples, not the samples among the changes
        counts = np.diff(np.searchsorted(times, changes), prepend=0, append=len(times))
        rows = np.flatnonzero(np.repeat(np.append(False, states == 1), counts))
        return times.take(rows), values.take(rows)

    return kept


def filter_polars(folder):
    frame = frame_polars(*load(folder, "dense_00")).lazy()
    condition = frame_polars(*load(folder, "condition"), "state").lazy()
    import polars as pl

    def kept():
        joined = frame.join_asof(condition, on="time", check_sortedness=False)
        table = joined.filter(pl.col("state") == 1).select("time", "value").collect()
        return table["time"], table["value"]

    return kept


def filter_pandas(folder):
    import pandas as pd

    (times, values), (changes, states) = load(folder, "dense_00"), load(folder, "condition")
    series, condition = pd.Series(values, index=times), pd.Series(states, index=changes)

    def kept():
        # a quarter of the time of reindex(method="ffill"), an eighth of merge_asof
        positions = series.index.searchsorted(condition.index)
        known = series.iloc[positions[0] :]
        found = known[np.repeat((condition == 1).to_numpy(), np.diff(positions, append=len(series)))]
        return found.index, found

    return kept


# -------------------------------------------------------------------------------------------- measuring

def finite_sum(values):
    values = np.asarray(values)
    return float(values[np.isfinite(values)].sum())


CHECKSUMS = {
    "resample": lambda tables: sum(finite_sum(table["mean"]) + finite_sum(table["std"]) for table in tables),
    "hold": lambda columns: sum(map(finite_sum, columns)),
    "linear": lambda columns: sum(map(finite_sum, columns)),
    "clip": lambda table: finite_sum(table[0]) + finite_sum(table[2]),
    "filter": lambda kept: finite_sum(kept[1]) + len(kept[0]),
}
CHECKSUMS["resample_large"] = CHECKSUMS["resample"]

PREPARE = {
    "resample": {"numpy": resample_numpy, "polars": resample_polars, "pandas": resample_pandas},
    "hold": {"numpy": hold_numpy, "polars": hold_polars, "pandas": hold_pandas},
    "linear": {"numpy": linear_numpy, "polars": linear_polars, "pandas": linear_pandas},
    "clip": {"astropy_2d": clip_astropy_2d, "astropy_loop": clip_astropy_loop, "numpy_loop": clip_numpy_loop, "numpy_sorted": clip_numpy_sorted},
    "filter": {"numpy": filter_numpy, "polars": filter_polars, "pandas": filter_pandas},
    "resample_large": {"numpy": resample_large_numpy, "polars": resample_large_polars},
}


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[3] not in PREPARE.get(sys.argv[2], {}):
        sys.exit(__doc__)
    operation, peer = sys.argv[2:4]
    repetitions = int(sys.argv[4]) if len(sys.argv) == 5 else 7
    if not os.environ.get("GIVE_MEMORY_BACK"):
        keep_freed_memory()
    run = PREPARE[operation][peer](Path(sys.argv[1]))
    result = run()
    cpu, wall = [], []
    for _ in range(repetitions):
        del result  # so that freeing the last result is not timed
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        result = run()
        cpu_end, wall_end = time.process_time(), time.perf_counter()
        cpu.append((cpu_end - cpu_start) * 1e3)
        wall.append((wall_end - wall_start) * 1e3)
    print(json.dumps({
        "operation": operation, "peer": peer, "cpu_ms": [round(each, 3) for each in cpu], "cpu_ms_best": round(min(cpu), 3),
        "cpu_ms_median": round(statistics.median(cpu), 3), "wall_ms_best": round(min(wall), 3),
        "checksum": CHECKSUMS[operation](result), "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }))


if __name__ == "__main__":
    main()
