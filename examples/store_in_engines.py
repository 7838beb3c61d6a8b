#!/usr/bin/env python3
"""Reads a store as a Hive-partitioned data set, with engines that know nothing of it.

    python3 examples/store_in_engines.py EDB STORE [pyarrow] [duckdb] [polars] [pandas] [spark]

EDB is the binary; STORE a store, as it lies on disk. Each engine named (by default each that is installed) reads the folder
`STORE/samples` with one plain call, and must find, for every mnemonic, the samples that `edb` finds: how many, from when to when, and
the sum of their values; and, of one of them, the samples of a range.
"""

import csv
import datetime
import importlib.util
import io
import json
import math
import subprocess
import sys

UTC = datetime.timezone.utc


def truth(edb: str, store: str) -> dict[str, tuple]:
    """What `edb` finds: samples, first and last time, sum of the values (of texts: of their lengths)."""
    status = subprocess.run([edb, "store", "status", "--store", store, "--summary", "json"], check=True, stdout=subprocess.PIPE)
    found = {}
    for entry in json.loads(status.stdout)["mnemonics"]:
        words = [f"{entry['mnemonic']}@{start}/{stop}" for start, stop in entry["known"]]
        table = subprocess.run(
            [edb, "export", "--source", "store", "--store", store, "--quiet", *words], check=True, stdout=subprocess.PIPE, text=True
        )
        lines = [line for line in io.StringIO(table.stdout, newline="") if not line.startswith("#")]
        rows = list(csv.DictReader(lines))
        texts = [row["text"] for row in rows if row.get("text")]
        # A long table shows integers as values, too, where a double holds them.
        numbers = [float(row.get("integer") or row["value"]) for row in rows if row.get("integer") or row.get("value")]
        times = [datetime.datetime.fromisoformat(row["time"]).replace(tzinfo=UTC) for row in rows]
        found[entry["mnemonic"]] = (len(rows), min(times), max(times), math.fsum(numbers) + sum(map(len, texts)))
    return found


QUERY = """select mnemonic, count(*), min(time), max(time),
    coalesce(sum(value), 0) + coalesce(sum(integer), 0) + coalesce(sum(length(text)), 0)
    from {} group by mnemonic order by mnemonic"""


def with_duckdb(samples: str):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    source = f"read_parquet('{samples}/*/*.parquet', hive_partitioning = true)"
    rows = connection.execute(QUERY.format(source)).fetchall()
    count = lambda mnemonic, start, stop: connection.execute(
        f"select count(*) from {source} where mnemonic = ? and time >= ? and time < ?", [mnemonic, start, stop]
    ).fetchone()[0]
    return rows, count


def with_polars(samples: str):
    import polars as pl

    # Engines take hidden files for data, or not: ours have another ending.
    frame = pl.scan_parquet(f"{samples}/**/*.parquet", hive_partitioning=True)
    size = pl.sum("value") + pl.sum("integer") + pl.col("text").str.len_chars().sum()
    table = frame.group_by("mnemonic").agg(pl.len(), pl.min("time"), pl.max("time").alias("last"), size.alias("size")).collect()

    def count(mnemonic, start, stop):
        is_inside = (pl.col("mnemonic") == mnemonic) & (pl.col("time") >= start) & (pl.col("time") < stop)
        return frame.filter(is_inside).select(pl.len()).collect().item()

    return table.sort("mnemonic").rows(), count


def with_pyarrow(samples: str):
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    data = ds.dataset(samples, format="parquet", partitioning="hive")
    rows = []
    for fragment_name in sorted({str(f.partition_expression) for f in data.get_fragments()}):
        mnemonic = fragment_name.split('"')[1]
        table = data.to_table(filter=ds.field("mnemonic") == mnemonic)
        number = lambda scalar: scalar.as_py() or 0
        size = number(pc.sum(table["value"])) + number(pc.sum(table["integer"])) + number(pc.sum(pc.utf8_length(table["text"])))
        rows.append((mnemonic, len(table), pc.min(table["time"]).as_py(), pc.max(table["time"]).as_py(), size))

    def count(mnemonic, start, stop):
        is_inside = (ds.field("mnemonic") == mnemonic) & (ds.field("time") >= start) & (ds.field("time") < stop)
        return data.count_rows(filter=is_inside)

    return rows, count


def with_pandas(samples: str):
    import pandas as pd

    frame = pd.read_parquet(samples)
    frame["size"] = frame["value"].fillna(0) + frame["integer"].fillna(0) + frame["text"].str.len().fillna(0)
    table = frame.groupby("mnemonic", observed=True).agg(n=("time", "size"), first=("time", "min"), last=("time", "max"), size=("size", "sum"))
    rows = [(str(name), int(row.n), row["first"].to_pydatetime(), row["last"].to_pydatetime(), row["size"]) for name, row in table.iterrows()]
    count = lambda mnemonic, start, stop: len(
        frame[(frame["mnemonic"] == mnemonic) & (frame["time"] >= start) & (frame["time"] < stop)]
    )
    return rows, count


def with_spark(samples: str):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(samples)
    frame.createOrReplaceTempView("samples")
    # Instants as microseconds: Python's own clock has its own zone.
    query = QUERY.replace("min(time), max(time)", "unix_micros(min(time)), unix_micros(max(time))")
    instant = lambda micros: datetime.datetime.fromtimestamp(0, UTC) + datetime.timedelta(microseconds=micros)
    rows = [(r[0], r[1], instant(r[2]), instant(r[3]), r[4]) for r in spark.sql(query.format("samples")).collect()]
    stamp = lambda time: f"timestamp '{time.strftime('%Y-%m-%d %H:%M:%S.%f')}'"

    def count(mnemonic, start, stop):
        return frame.where(f"mnemonic = '{mnemonic}' and time >= {stamp(start)} and time < {stamp(stop)}").count()

    return rows, count


ENGINES = {"pyarrow": with_pyarrow, "duckdb": with_duckdb, "polars": with_polars, "pandas": with_pandas, "spark": with_spark}
MODULES = {"spark": "pyspark"}


def main(edb: str, store: str, *engines: str) -> None:
    expected = truth(edb, store)
    is_there = lambda engine: importlib.util.find_spec(MODULES.get(engine, engine)) is not None
    for engine in engines or [engine for engine in ENGINES if is_there(engine)]:
        rows, count = ENGINES[engine](f"{store}/samples")
        found = {row[0]: row[1:] for row in rows}
        assert found.keys() == expected.keys(), f"{engine}: {sorted(found)} instead of {sorted(expected)}"
        for mnemonic, (samples, first, last, size) in expected.items():
            number, start, stop, total = found[mnemonic]
            assert (number, start, stop) == (samples, first, last), f"{engine}: {mnemonic}: {found[mnemonic]}"
            assert math.isclose(float(total), size, rel_tol=1e-9, abs_tol=1e-6), f"{engine}: {mnemonic}: {total} instead of {size}"
        # A range, which page and row-group statistics narrow down: all samples but the last.
        mnemonic = max(expected, key=lambda name: expected[name][0])
        samples, first, last, _ = expected[mnemonic]
        inside = count(mnemonic, first, last)
        assert 0 < inside < samples, f"{engine}: {inside} of {samples} before {last}"
        version = importlib.import_module(MODULES.get(engine, engine)).__version__
        total = sum(entry[0] for entry in expected.values())
        print(f"{engine} {version}: {total} samples of {len(expected)} mnemonics, as edb finds them; {inside} of {mnemonic} before its last")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
