#!/usr/bin/env python3
"""Exports the synthetic sample in every format, and opens each as an analyst would.

    python3 examples/exports_in_readers.py EDB

EDB is the binary. Needs astropy, pandas, pyarrow, polars and duckdb. Every reader must find the same rows, times and values, and astropy the
units: each call below is all that a script needs.
"""

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import warnings

import astropy.units as u
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet
from astropy.table import QTable, Table
from astropy.timeseries import TimeSeries

SELECTED = ["SAMPLE_PANEL_TEMP", "SAMPLE_MOTOR_VOLT", "SAMPLE_HEATER_STATE", "--start", "2024-03-01T05:00", "--stop", "2024-03-01T06:00"]


def edb(binary: str, *words: str) -> bytes:
    return subprocess.run([binary, "export", *words, "--source", "sample", "--quiet"], check=True, stdout=subprocess.PIPE).stdout


def wide(binary: str, folder: str) -> None:
    """Minutes on a grid: a column for each mnemonic."""
    name = lambda extension: os.path.join(folder, f"minutes.{extension}")
    extensions = ["parquet", "csv", "ecsv", "fits", "vot", "arrow", "jsonl"]
    outputs = [word for extension in extensions for word in ("-o", name(extension))]
    manifest = os.path.join(folder, "manifest.json")
    edb(binary, *SELECTED, "--align", "1m", "--max-age", "1h", "--manifest", manifest, *outputs)

    frames = {
        "pandas, Parquet": pd.read_parquet(name("parquet")),
        "pandas, Feather": pd.read_feather(name("arrow")),
        "pandas, CSV": pd.read_csv(name("csv"), comment="#", parse_dates=["time"]),
        "pandas, JSON Lines": pd.read_json(name("jsonl"), lines=True),
        "polars, Parquet": pl.read_parquet(name("parquet")).to_pandas(),
        "polars, Arrow": pl.read_ipc(name("arrow")).to_pandas(),
        "polars, CSV": pl.read_csv(name("csv"), comment_prefix="#", try_parse_dates=True).to_pandas(),
        "polars, JSON Lines": pl.read_ndjson(name("jsonl")).to_pandas(),
        "pyarrow, Parquet": pyarrow.parquet.read_table(name("parquet")).to_pandas(),
        "pyarrow, Feather": pyarrow.feather.read_table(name("arrow")).to_pandas(),
        "duckdb, Parquet": duckdb.sql(f"from '{name('parquet')}'").df(),
        "duckdb, CSV": duckdb.sql(f"from read_csv('{name('csv')}', comment='#')").df(),
        "duckdb, JSON Lines": duckdb.sql(f"from '{name('jsonl')}'").df(),
    }
    volts = frames["pandas, Parquet"]["SAMPLE_MOTOR_VOLT"].to_numpy()
    assert len(volts) == 60 and np.isfinite(volts).sum() > 10
    for reader, frame in frames.items():
        assert list(frame.columns) == ["time", "SAMPLE_PANEL_TEMP", "SAMPLE_MOTOR_VOLT", "SAMPLE_HEATER_STATE"], reader
        np.testing.assert_array_equal(frame["SAMPLE_MOTOR_VOLT"].to_numpy(float), volts, reader)
        times = pd.to_datetime(frame["time"], utc=True)
        assert times.iloc[1] - times.iloc[0] == pd.Timedelta("1min") and str(times.iloc[0]) == "2024-03-01 05:00:00+00:00", reader
    print("the same minutes in", "; ".join(frames))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tables = {
            "Parquet": Table.read(name("parquet")),
            "ECSV": Table.read(name("ecsv")),
            "FITS": Table.read(name("fits"), astropy_native=True),
            "VOTable": Table.read(name("vot")),
            "a QTable": QTable.read(name("ecsv")),
        }
        series = [TimeSeries.read(name("parquet"), format="parquet"), TimeSeries.read(name("ecsv"), format="ascii.ecsv")]
    for reader, table in tables.items():
        column = table["SAMPLE_MOTOR_VOLT"]
        found = np.asarray(column.filled(np.nan) if hasattr(column, "filled") else column, float)
        np.testing.assert_array_equal(found, volts, reader)
        assert table["SAMPLE_MOTOR_VOLT"].unit == u.V, reader
        if reader != "VOTable":
            # In VOUnits degrees Celsius are a unit of one's own, and times ISO 8601 text.
            assert table["SAMPLE_PANEL_TEMP"].unit == u.deg_C, reader
            assert table["time"].scale == "utc" and table["time"][1].isot.startswith("2024-03-01T05:01:00"), reader
    for one in series:
        assert one.time.scale == "utc" and len(one) == 60
    print("with units and UTC in astropy:", ", ".join(tables), "and TimeSeries")

    with open(manifest, encoding="utf8") as file:
        told = json.load(file)
    for file in told["files"]:
        with open(file["path"], "rb") as opened:
            assert hashlib.sha256(opened.read()).hexdigest() == file["sha256"]
        assert file["rows"] == 60
    assert told["asked"]["arguments"][0] == "export" and len(told["resolved"]) == 3 and len(told["series"]) == 3
    print("the manifest has the digests of", len(told["files"]), "files")


def parted(binary: str, folder: str) -> None:
    """Every sample, in a folder of files by mnemonic and day."""
    root = os.path.join(folder, "parted")
    edb(binary, *SELECTED, "--partition", "mnemonic,day", "-o", root)
    pattern = os.path.join(root, "*", "*", "*.parquet")
    whole = pl.read_csv(edb(binary, *SELECTED, "--no-comments"), schema_overrides={"text": pl.String})
    expected = dict(whole.group_by("mnemonic").len().iter_rows())
    found = {
        "polars": dict(pl.read_parquet(pattern, hive_partitioning=True).group_by("mnemonic").len().iter_rows()),
        "duckdb": dict(duckdb.sql(f"select mnemonic, count(*) from read_parquet('{pattern}', hive_partitioning=true) group by 1").fetchall()),
        "pandas": pd.read_parquet(root).groupby("mnemonic", observed=True).size().to_dict(),
        "pyarrow": {
            row["mnemonic"]: row["time_count"]
            for row in pyarrow.dataset.dataset(root, partitioning="hive").to_table().group_by("mnemonic").aggregate([("time", "count")]).to_pylist()
        },
    }
    for reader, counts in found.items():
        assert counts == expected, (reader, counts, expected)
    assert math.isclose(sum(expected.values()), len(whole))
    print("the same samples of", len(expected), "mnemonics in the data set by", ", ".join(found))


with tempfile.TemporaryDirectory() as scratch:
    wide(sys.argv[1], scratch)
    parted(sys.argv[1], scratch)
