"""The work of `decode run` with other libraries, on the same file and one thread.

    python decode.py FILE

Each is asked for the two columns that matter, theTime as a timestamp in microseconds and euvalue as float64, and for
nothing else: no type column, no check of anything. Prints the best of three.
"""

import os

for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import platform
import sys
import time

import numpy
import pandas
import polars
import pyarrow
import pyarrow.csv

ROUNDS = 3
# An explicit strptime pattern would miss the fast path of pandas for ISO times, and be four times slower.
FORM = "ISO8601"
COLUMNS = ["theTime", "euvalue"]

pyarrow.set_cpu_count(1)
pyarrow.set_io_thread_count(1)


def pyarrow_csv(file, block_size=1 << 20, **options):
    types = {"theTime": pyarrow.timestamp("us"), "euvalue": pyarrow.float64()}
    table = pyarrow.csv.read_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=block_size),
        parse_options=pyarrow.csv.ParseOptions(**options),
        convert_options=pyarrow.csv.ConvertOptions(include_columns=COLUMNS, column_types=types),
    )
    return table["theTime"][-1].as_py(), table["euvalue"].to_numpy(), len(table)


def pyarrow_csv_unquoted(file):
    # Without quoting pyarrow has a faster parser; text values would be torn at their commas.
    return pyarrow_csv(file, quote_char=False)


def pyarrow_csv_small_blocks(file):
    return pyarrow_csv(file, block_size=256 << 10)


def of_pandas(frame):
    return pandas.to_datetime(frame["theTime"].iloc[-1]).to_pydatetime(), frame["euvalue"].to_numpy(), len(frame)


def pandas_c(file):
    frame = pandas.read_csv(
        file, engine="c", usecols=COLUMNS, dtype={"euvalue": "float64"}, parse_dates=["theTime"], date_format=FORM
    )
    return of_pandas(frame)


def pandas_pyarrow(file):
    frame = pandas.read_csv(file, engine="pyarrow", usecols=COLUMNS, parse_dates=["theTime"])
    return of_pandas(frame)


def of_polars(frame):
    return frame["theTime"][-1], frame["euvalue"].to_numpy(), len(frame)


def polars_strptime(file):
    frame = polars.read_csv(
        file, columns=COLUMNS, schema_overrides={"theTime": polars.String, "euvalue": polars.Float64}
    )
    return of_polars(frame.with_columns(polars.col("theTime").str.strptime(polars.Datetime("us"), "%Y-%m-%d %H:%M:%S%.6f")))


def polars_auto(file):
    frame = polars.read_csv(file, columns=COLUMNS, try_parse_dates=True)
    return of_polars(frame)


def polars_schema(file):
    types = {"theTime": polars.Datetime("us"), "euvalue": polars.Float64}
    return of_polars(polars.read_csv(file, columns=COLUMNS, schema_overrides=types))


def main():
    file = sys.argv[1]
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{module.__name__} {module.__version__}" for module in (numpy, pandas, polars, pyarrow)]
    print(", ".join(versions))
    expected = None
    for work in (
        pyarrow_csv,
        pyarrow_csv_small_blocks,
        pyarrow_csv_unquoted,
        pandas_c,
        pandas_pyarrow,
        polars_strptime,
        polars_auto,
        polars_schema,
    ):
        try:
            best = float("inf")
            for _ in range(ROUNDS):
                before = time.process_time()
                last, values, rows = work(file)
                best = min(best, time.process_time() - before)
        except Exception as error:
            print(f"{work.__name__}: cannot: {type(error).__name__}: {str(error).splitlines()[0]}")
            continue
        if expected is None:
            expected = values.copy()
        wrong = int((values.view("u8") != expected.view("u8")).sum())
        print(
            f"{work.__name__}: {rows} rows, {best:.3f} CPU s, {rows / best / 1e6:.2f} M rows per CPU second; "
            f"last time {last}, {wrong} values differ from {pyarrow_csv.__name__}"
        )


main()
