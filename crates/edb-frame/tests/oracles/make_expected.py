"""Writes expected values, worked out by numpy, pandas, astropy and scipy, for tests of a time-series library.

    python make_expected.py OUT.json

The same for every run with the same library versions. Times are integer microseconds since 1970 UTC; NaN is
written null and an infinity (only in the sigma_clip cases) as the string "inf" or "-inf". A comparison that only
rounding would decide (a value on a clipping bound) is refused, so that a case has one right answer.
"""

import json
import math
import platform
import sys
import warnings

# with it astropy would take its means and medians from bottleneck, which rounds otherwise than numpy
sys.modules["bottleneck"] = None

import astropy
import numpy as np
import pandas as pd
import scipy
from astropy.stats import sigma_clip, sigma_clipped_stats
from scipy.stats.mstats import mquantiles

START = 1_709_251_200_000_000  # 2024-03-01
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
GENERATOR = np.random.default_rng(20240301)
NAN = math.nan


def plain(value):
    """What json can hold: lists and Python numbers, NaN as null, infinities as strings."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, str, int)) or value is None:
        return value
    if isinstance(value, np.integer):
        return int(value)
    value = float(value)
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else repr(value)


def irregular(count, mean_step, start=START, duplicates=0.0):
    """Sorted random times; a share of them repeats the time before."""
    steps = GENERATOR.integers(1, 2 * mean_step, count)
    if duplicates:
        steps[GENERATOR.random(count) < duplicates] = 0
    return start + np.cumsum(steps)


def normal(count, decimals=None, mean=20.0, std=3.0):
    values = GENERATOR.normal(mean, std, count)
    return values if decimals is None else np.round(values, decimals)


def with_nan(values, share):
    values = np.array(values, dtype=float)
    values[GENERATOR.random(len(values)) < share] = NAN
    return values


# ---------------------------------------------------------------------------------------------- sigma_clip

def on_a_bound(values, sigma, max_iterations):
    """Whether any step of the clipping has a value so near a bound that rounding decides."""
    values = values[np.isfinite(values)]
    iteration = 0
    while len(values) and (max_iterations is None or iteration < max_iterations):
        center, std = np.median(values), np.std(values)
        distance = np.abs(values - center)
        if std > 1e-12 * abs(center) and np.any(np.abs(distance - sigma * std) < 1e-9 * std):
            return True
        kept = values[distance <= sigma * std * (1 + 1e-12)] if std else values[distance == 0]
        if len(kept) == len(values):
            break
        values, iteration = kept, iteration + 1
    return False


def sigma_clip_cases():
    outliers = normal(60)
    outliers[[3, 17, 40]] += [40, -55, 300]
    many = normal(120, 3)
    many[GENERATOR.random(120) < 0.15] *= 6
    # the great outlier hides the middle one from the first pass, and that one the small one
    staged = np.concatenate([normal(50, 4, 0, 1), [1e6, 500.0, 9.0]])
    staged_both = np.concatenate([normal(70, 4, 5, 0.5), [-4e4, 3e4, 60.0, -45.0, 9.5]])
    few = GENERATOR.choice([1.0, 1.25, 1.5, 1.75], 80, p=[0.1, 0.5, 0.3, 0.1])
    few[[5, 50]] = [9.0, -7.75]
    two = np.where(GENERATOR.random(90) < 0.03, 1.0, 0.0)
    two[:3] = [1.0, 0.0, 0.0]
    counts = np.round(normal(75, None, 100, 4))
    counts[10] = 180
    offset = 1e9 + normal(60, 3, 0, 0.01)
    offset[30] += 1
    holes = normal(60, 4)
    holes[[0, 7, 8, 59]] = NAN
    holes[[20, 21]] = [90, -60]
    infinite = normal(40, 4)
    infinite[[2, 11, 30, 39]] = [math.inf, -math.inf, NAN, 75]
    # a long tail loses a little at each pass, for more than five passes
    tail = np.round(GENERATOR.exponential(10, 150) ** 1.5, 3)
    named = [
        ("gaussian with outliers", outliers), ("many outliers", many), ("two-stage outliers", staged),
        ("two-stage outliers on both sides", staged_both), ("few distinct values", few), ("two distinct values", two),
        ("whole numbers", counts), ("great offset", offset), ("nan inside", holes), ("infinities inside", infinite),
    ]
    cases = []
    combinations = [(2.0, 1), (2.0, 5), (2.0, None), (3.0, 1), (3.0, 5), (3.0, None), (5.0, 5), (5.0, None)]
    for number, (name, values) in enumerate(named):
        # three of the eight for each, in turn, so that every value set meets different settings
        chosen = [combinations[(number + 3 * step) % 8] for step in range(3)]
        if name.startswith("two-stage"):
            chosen = [(3.0, 1), (3.0, 2), (3.0, None)]
        cases += [(f"{name}, {sigma:g} sigma, {iterations or 'all'} iterations", values, sigma, iterations) for sigma, iterations in chosen]
    cases += [
        ("long tail, 1 iteration", tail, 2.0, 1), ("long tail, 5 iterations", tail, 2.0, 5), ("long tail, all iterations", tail, 2.0, None),
        ("constant", np.full(30, 0.1), 3.0, 5), ("constant, until convergence", np.full(7, -273.15), 2.0, None),
        ("constant with one outlier", np.array([0.1] * 20 + [0.7]), 3.0, 5),
        ("constant with nan", np.array([4.2, NAN, 4.2, NAN, 4.2]), 3.0, None),
        ("one value", np.array([3.25]), 3.0, 5), ("one value, until convergence", np.array([-1e-3]), 2.0, None),
        ("one value and nan", np.array([NAN, 7.5, NAN]), 3.0, 5), ("two values", np.array([1.0, 9.0]), 3.0, 5),
        ("two values, until convergence", np.array([-4.5, 1e6]), 2.0, None), ("three values", np.array([1.0, 2.0, 100.0]), 2.0, 5),
        ("three values, narrow", np.array([1.0, 1.0, 4.0]), 1.5, 5), ("nan only", np.array([NAN, NAN, NAN]), 3.0, 5),
    ]
    for name, values, sigma, iterations in cases:
        assert not on_a_bound(values, sigma, iterations), name
        mean, median, std = sigma_clipped_stats(values, sigma=sigma, maxiters=iterations)
        yield {"kind": "sigma_clip", "name": name, "values": values, "sigma": sigma, "max_iterations": iterations,
               "expected": {"mean": mean, "median": median, "std": std}}


# ------------------------------------------------------------------------------------------- asof and linear

def targets_around(times, count):
    """Random targets from before the first to after the last time, some of them exact times."""
    spread = max(int(times[-1] - times[0]), 8)
    random = GENERATOR.integers(times[0] - spread // 8, times[-1] + spread // 8, count - count // 4)
    return np.sort(np.concatenate([random, GENERATOR.choice(times, count // 4)]))


def asof_cases():
    def case(name, direction, tolerance, times, values, targets):
        expected = pd.merge_asof(
            pd.DataFrame({"time": targets}), pd.DataFrame({"time": times, "value": values}), on="time",
            direction=direction, tolerance=tolerance,
        )["value"]
        return {"kind": "asof", "name": name, "times": times, "values": values, "targets": targets,
                "tolerance_us": tolerance, "direction": direction, "expected": expected}

    for direction in ("backward", "nearest"):
        repeated = 0.3 if direction == "backward" else 0.0
        for name, count, step, tolerance in [
            ("any distance", 60, SECOND, None), ("tolerance", 60, SECOND, 400_000), ("wide tolerance", 40, 10 * SECOND, 5 * SECOND),
            ("narrow tolerance", 50, 256_000, 1000), ("zero tolerance", 30, SECOND, 0), ("minutes", 25, MINUTE, 30 * SECOND),
        ]:
            times = irregular(count, step, duplicates=repeated)
            yield case(f"{direction}, {name}", direction, tolerance, times, normal(count, 6), targets_around(times, 60))
        one = np.array([START])
        around = START + np.array([-SECOND, -1, 0, 1, SECOND, SECOND + 1])
        yield case(f"{direction}, one sample", direction, None, one, [4.5], around)
        yield case(f"{direction}, one sample, tolerance met exactly", direction, SECOND, one, [4.5], around)
        yield case(f"{direction}, no sample", direction, None, np.array([], "i8"), np.array([], "f8"), around)
        yield case(f"{direction}, no target", direction, None, one, [4.5], np.array([], "i8"))
    times = START + np.array([0, 0, 0, 10, 10, 20])
    yield case("backward, only duplicates", "backward", None, times, np.arange(6.0), START + np.array([-1, 0, 5, 10, 10, 19, 20, 99]))
    times = START + np.array([0, 10, 30, 50])
    yield case("nearest, halfway", "nearest", 10, times, np.arange(4.0), START + np.array([5, 20, 40, 60, 61]))
    times = np.array([-3, -1, 0, 2]) * SECOND
    yield case("backward, before 1970", "backward", 1_500_000, times, np.arange(4.0), np.arange(-8, 9) * 500_000)


def linear_cases():
    def case(name, times, values, targets):
        # offsets from the first time, so that no microsecond is lost to rounding
        offsets, wanted = (times - times[0]).astype(float), (targets - times[0]).astype(float)
        return {"kind": "linear", "name": name, "times": times, "values": values, "targets": targets,
                "expected": np.interp(wanted, offsets, values, left=NAN, right=NAN)}

    for name, count, step, decimals in [
        ("seconds", 50, SECOND, None), ("telemetry", 60, 256_000, 4), ("days", 40, DAY, 3), ("microseconds", 30, 5, None), ("minutes", 20, MINUTE, 1),
    ]:
        times = irregular(count, step)
        yield case(name, times, normal(count, decimals), targets_around(times, 60))
    times = irregular(20, SECOND)
    yield case("great offset", times, 1e9 + normal(20, 3), targets_around(times, 30))
    yield case("two samples", START + np.array([0, 3]), np.array([1.0, 2.0]), START + np.arange(-1, 5))
    yield case("one sample", np.array([START]), np.array([7.25]), START + np.array([-1, 0, 1]))


# -------------------------------------------------------------------------------------- resample and months

def statistics(values):
    """One bin's statistics besides those which pandas's groupby has."""
    low, high = np.percentile(values, [5, 95])
    low_cunnane, high_cunnane = mquantiles(values, [0.05, 0.95], alphap=0.4, betap=0.4)
    return low, high, low_cunnane, high_cunnane, np.sqrt(np.mean(values**2))


def resample_cases():
    def case(name, times, values, step, origin):
        frame = pd.DataFrame({"bin": (times - origin) // step, "value": values}).dropna()
        groups = frame.groupby("bin")["value"]
        expected = {"start_us": [origin + key * step for key in groups.groups]}
        for statistic in ("count", "mean", "median", "min", "max"):
            expected[statistic] = getattr(groups, statistic)()
        expected |= {"std": groups.std(ddof=0), "std_sample": groups.std(ddof=1), "sum": groups.sum(),
                     "first": groups.first(), "last": groups.last()}
        rest = zip(*[statistics(group.to_numpy()) for _, group in groups])
        expected |= dict(zip(("p05", "p95", "p05_cunnane", "p95_cunnane", "rms"), rest))
        return {"kind": "resample", "name": name, "times": times, "values": values, "step_us": step, "origin_us": origin,
                "expected": expected}

    times = irregular(150, 1500, START + 777)
    yield case("10 ms", times, normal(150, 6), 10_000, START)
    times = irregular(60, 5 * SECOND, START + 777)
    yield case("10 ms, bins of one and gaps", np.sort(np.concatenate([times, times[:20] + 2500])), normal(80, 4), 10_000, 0)
    yield case("1 s", irregular(150, 70_000), normal(150), SECOND, START)
    yield case("1 s, nan", irregular(150, 90_000), with_nan(normal(150, 5), 0.3), SECOND, START)
    # every sample of some bins is NaN: those bins must be missing
    values = normal(90, 5)
    values[20:45] = NAN
    yield case("1 s, bins of nan only", irregular(90, 150_000), values, SECOND, START)
    yield case("1 s, duplicate times", irregular(120, 120_000, duplicates=0.4), normal(120, 5), SECOND, START + 250_000)
    yield case("1 min, origin after the data", irregular(120, 5 * SECOND), with_nan(normal(120, 3), 0.1), MINUTE, START + 7 * DAY + 12_345_678)
    yield case("1 min, origin before 1970", irregular(120, 6 * SECOND), normal(120, 3, -5, 40), MINUTE, -1_234_567)
    yield case("1 min, data before 1970", irregular(100, 6 * SECOND, -5 * MINUTE), normal(100, 3), MINUTE, 0)
    yield case("1 day", irregular(120, 2 * HOUR), with_nan(normal(120, 3), 0.1), DAY, 0)
    yield case("1 day from noon", irregular(100, 3 * HOUR, START - 3 * DAY), normal(100, None, 1e6, 1), DAY, START + 12 * HOUR)
    edges = START + np.repeat(np.arange(6), 3) * SECOND + np.tile([0, 1, SECOND - 1], 6)
    yield case("1 s, samples on the edges", edges, normal(18, 2), SECOND, START)


def months_cases():
    def case(name, times, values, months):
        series = pd.Series(values, index=pd.DatetimeIndex(times.astype("datetime64[us]"), tz="UTC")).dropna()
        groups = series.groupby(pd.Grouper(freq="MS" if months == 1 else "QS-JAN"))
        table = groups.agg(["count", "mean", "min", "max"]).query("count > 0")
        starts = table.index.tz_localize(None).to_numpy().astype("datetime64[us]").astype("i8")
        return {"kind": "months", "name": name, "times": times, "values": values, "months": months,
                "expected": {"start_us": starts} | {column: table[column] for column in table}}

    begin, end = (np.datetime64(day, "us").astype(int) for day in ("2023-10-11", "2024-12-20"))
    times = np.sort(GENERATOR.integers(begin, end, 240))
    firsts = np.arange("2023-11", "2024-12", dtype="datetime64[M]").astype("datetime64[us]").astype("i8")
    # the last microsecond of a month (29 February among them) and the first of the next
    edged = np.unique(np.concatenate([times[:150], firsts, firsts - 1]))
    yield case("months", times, with_nan(normal(240, 3), 0.1), 1)
    gap = (edged < firsts[7]) | (edged >= firsts[9])
    yield case("months with samples on the edges and a gap", edged[gap], normal(gap.sum(), 3), 1)
    yield case("quarters", times, normal(240, 3), 3)


# ---------------------------------------------------------------------------------- rolling and time_weighted

def rolling_cases():
    def case(name, times, values, window):
        series = pd.Series(values, index=pd.DatetimeIndex(times.astype("datetime64[us]")))
        rolling = series.rolling(pd.Timedelta(microseconds=window), closed="right", min_periods=1)
        expected = {"mean": rolling.mean(), "median": rolling.median(), "std": rolling.std(ddof=0)}
        # pandas rolls its sums along; hold it against each window worked out by itself
        for row, time in enumerate(times):
            inside = values[(times > time - window) & (times <= time)]
            for statistic in expected:
                ours, theirs = getattr(np, statistic)(inside), expected[statistic].iloc[row]
                assert abs(ours - theirs) <= 1e-10 * max(1, np.abs(inside).max()), (name, statistic, ours, theirs)
        return {"kind": "rolling", "name": name, "times": times, "values": values, "window_us": window, "expected": expected}

    yield case("1 s", irregular(80, 256_000), normal(80, 5), SECOND)
    yield case("10 s", irregular(80, SECOND), normal(80), 10 * SECOND)
    yield case("window of one sample", irregular(30, SECOND), normal(30, 5), 1)
    yield case("window over all", irregular(40, SECOND), normal(40, 5), DAY)
    yield case("samples exactly a window apart", START + np.arange(30) * SECOND, normal(30, 3), 3 * SECOND)
    yield case("gaps and few distinct values", irregular(70, MINUTE), np.round(normal(70, None, 0, 1.5)), 2 * MINUTE)


def weighted_median(values, weights):
    """The smallest value at which the weight reached exceeds half; at exactly half, the mean of it and the next."""
    held = weights > 0
    values, weights = values[held], weights[held]
    order = np.argsort(values, kind="stable")
    values, reached = values[order], np.cumsum(weights[order])
    position = np.argmax(2 * reached >= reached[-1])
    if 2 * reached[position] == reached[-1]:
        return (values[position] + values[position + 1]) / 2
    return values[position]


def time_weighted_cases():
    def case(name, times, values, stop):
        weights = np.diff(np.append(times, stop))
        mean = np.average(values, weights=weights)
        std = np.sqrt(np.average((values - mean) ** 2, weights=weights))
        return {"kind": "time_weighted", "name": name, "times": times, "values": values, "stop_us": stop,
                "expected": {"mean": mean, "std": std, "median": weighted_median(values, weights)}}

    times = irregular(60, SECOND)
    yield case("irregular", times, normal(60), times[-1] + SECOND)
    yield case("last sample held for no time", times, normal(60, 4), times[-1])
    yield case("last sample held for most of the time", times[:20], normal(20, 4), times[19] + HOUR)
    yield case("states", irregular(50, MINUTE), GENERATOR.integers(0, 4, 50).astype(float), START + 2 * HOUR)
    yield case("half the weight", START + np.array([0, 1, 2, 5]) * SECOND, np.array([4.0, 1.0, 9.0, 2.0]), START + 8 * SECOND)
    yield case("equal weights, even count", START + np.arange(4) * SECOND, np.array([3.0, 1.0, 10.0, 2.0]), START + 4 * SECOND)
    yield case("equal weights, odd count", START + np.arange(5) * SECOND, np.array([3.0, 1.0, 10.0, 2.0, 2.5]), START + 5 * SECOND)
    yield case("one sample", np.array([START]), np.array([-2.5]), START + 1)
    yield case("great offset", irregular(30, SECOND), 1e9 + normal(30, 3, 0, 0.01), START + MINUTE)


def main():
    # astropy warns of the NaN it leaves out, numpy of a mean of nothing: both are meant here
    warnings.simplefilter("ignore")
    makers = (sigma_clip_cases, asof_cases, linear_cases, resample_cases, months_cases, rolling_cases, time_weighted_cases)
    cases = [plain(case) for maker in makers for case in maker()]
    versions = {module.__name__: module.__version__ for module in (np, pd, astropy, scipy)} | {"python": platform.python_version()}
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
    with open(sys.argv[1], "w", encoding="utf-8", newline="\n") as out:
        out.write(f'{{"made_with":{json.dumps(versions, separators=(",", ":"))},\n"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
