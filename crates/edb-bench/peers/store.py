#!/usr/bin/env python3
"""What others make of the same samples: sizes, and reading them back.

    python3 store.py write FOLDER NAME      FOLDER/NAME.i64 and .f64 (made by `store make`) in every format; prints sizes
    python3 store.py read KIND FILE         to columns in memory, five times over, CPU seconds without imports
    python3 store.py real FOLDER SIZE       EDB CSV files in every format; SIZE: bytes of the store beside them

numpy, pandas, pyarrow, polars and tables (PyTables, for the HDF5 layout of cheta) are needed.
"""

import gzip
import pathlib
import resource
import sys
import time


def write_csv_gz(path, times, values):
    """The service's form; of long series the first day, scaled."""
    import numpy as np

    n = min(len(times), 337_500)
    stamps = np.datetime_as_string(times[:n].astype("datetime64[us]"), unit="us")
    mjd = 40587 + times[:n] / 86400e6
    rows = ["theTime,MJD,euvalue,sqldataType"]
    rows += [f"{t.replace('T', ' ')},{m:.10f},{v:.10f},real" for t, m, v in zip(stamps, mjd, values[:n])]
    path.write_bytes(gzip.compress("\r\n".join(rows).encode(), 6))
    return path.stat().st_size / n


def write_all(folder, name, times, values):
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq
    import tables

    n = len(times)
    sizes = {}
    path = lambda kind: folder / f"{name}.{kind}"
    sizes["gzip -6 CSV"] = write_csv_gz(path("csv.gz"), times, values)
    stamps = pa.array(times, pa.timestamp("us", "UTC"))
    table = pa.table({"time": stamps, "value": values})
    pd.DataFrame({"time": pd.to_datetime(times, unit="us", utc=True), "value": values}).to_parquet(path("pandas.parquet"))
    pq.write_table(table, path("pa_zstd.parquet"), compression="zstd")
    pq.write_table(table, path("pa_snappy.parquet"), compression="snappy")
    delta = dict(compression="zstd", column_encoding={"time": "DELTA_BINARY_PACKED"})
    pq.write_table(table, path("pa_delta.parquet"), use_dictionary=["value"], **delta)
    split = dict(time="DELTA_BINARY_PACKED", value="BYTE_STREAM_SPLIT")
    if values.dtype == np.float64:
        pq.write_table(table, path("pa_split.parquet"), use_dictionary=False, compression="zstd", column_encoding=split)
    frame = pl.from_arrow(table)
    frame.write_parquet(path("pl_zstd.parquet"), compression="zstd")
    frame.write_parquet(path("pl_plain.parquet"), compression="uncompressed")
    for kind in ["pandas", "pa_zstd", "pa_snappy", "pa_delta", "pa_split", "pl_zstd", "pl_plain"]:
        if path(f"{kind}.parquet").exists():
            sizes[f"{kind}.parquet"] = path(f"{kind}.parquet").stat().st_size / n
    # cheta: a file of values and quality for each mnemonic, and one of the times they share, zlib 5.
    filters = tables.Filters(complevel=5, complib="zlib")
    for kind in ("f4", "f8"):
        with tables.open_file(path(f"h5_{kind}"), "w", filters=filters) as file:
            data = values.astype(kind) if values.dtype.kind == "f" else values
            file.create_earray(file.root, "data", obj=data, expectedrows=max(n, 1))
            file.create_earray(file.root, "quality", obj=np.zeros(n, bool), expectedrows=max(n, 1))
    with tables.open_file(path("h5_time"), "w", filters=filters) as file:
        file.create_earray(file.root, "data", obj=times / 1e6, expectedrows=max(n, 1))
    for kind in ("f4", "f8"):
        both = path(f"h5_{kind}").stat().st_size + path("h5_time").stat().st_size
        sizes[f"HDF5 as in cheta, {kind}"] = both / n
    return sizes


def read(kind, path):
    import numpy as np

    if kind == "h5":
        import tables

        def load():
            with tables.open_file(path) as file:
                values, quality = file.root.data[:], file.root.quality[:]
            with tables.open_file(path.replace("h5_f4", "h5_time").replace("h5_f8", "h5_time")) as file:
                times = file.root.data[:]
            return times, values[-1], len(values), quality
    elif kind == "polars":
        import polars as pl

        def load():
            frame = pl.read_parquet(path, columns=["time", "value"])
            return frame, frame["value"][-1], len(frame), None
    elif kind == "pyarrow":
        import pyarrow.parquet as pq

        def load():
            table = pq.read_table(path, columns=["time", "value"], use_threads=False)
            return table, table["value"][-1].as_py(), len(table), None
    else:
        sys.exit(f"no kind {kind}")
    for _ in range(5):
        wall, cpu = time.perf_counter(), time.process_time()
        kept, last, rows, _quality = load()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{pathlib.Path(path).name}: {kind} {rows} samples in {wall:.4f} s, {cpu:.4f} CPU s: "
              f"{rows / cpu / 1e6:.1f} M samples/CPU s, peak {peak:.0f} MB (last {last})")
        del kept


def real(folder, store_bytes):
    import tempfile

    import numpy as np
    import pandas as pd

    total, rows = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(pathlib.Path(folder).glob("*.csv")):
            frame = pd.read_csv(path)
            times = pd.to_datetime(frame["theTime"]).to_numpy().astype("datetime64[us]").astype("int64")
            sizes = write_all(pathlib.Path(scratch), path.stem, times, frame["euvalue"].to_numpy())
            sizes["gzip -6 CSV"] = len(gzip.compress(path.read_bytes(), 6)) / len(frame)
            sizes.setdefault("pa_split.parquet", sizes["pa_delta.parquet"])
            rows += len(frame)
            for kind, size in sizes.items():
                total[kind] = total.get(kind, 0) + size * len(frame)
    for kind, size in sorted(total.items(), key=lambda item: item[1]):
        print(f"real: {kind}: {size / rows:.3f} B/sample")
    print(f"real: edb store: {store_bytes / rows:.3f} B/sample of {rows}")


def main():
    match sys.argv[1:]:
        case ["write", folder, name]:
            import numpy as np

            folder = pathlib.Path(folder)
            times = np.fromfile(folder / f"{name}.i64", "<i8")
            values = np.fromfile(folder / f"{name}.f64", "<f8")
            for kind, size in sorted(write_all(folder, name, times, values).items(), key=lambda item: item[1]):
                print(f"{name}: {kind}: {size:.3f} B/sample")
        case ["read", kind, path]:
            read(kind, path)
        case ["real", folder, size]:
            real(folder, float(size))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
