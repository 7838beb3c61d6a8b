"""Times how long another library takes to write a table, in a process of its own.

    python export.py FILE.parquet PEER OUT [TIMES]

FILE.parquet is what `export make` wrote: time (UTC, microseconds), VOLT, TEMP (with nulls), COUNT (int64), STATE (text). Peers:

    polars_parquet    zstd level 3, statistics as by default
    pyarrow_parquet   zstd level 3
    pandas_csv        to_csv without the index
    polars_csv        times in ISO 8601 with microseconds
    pyarrow_csv
    astropy_ecsv      Table with a Time column and units
    astropy_ecsv_text Table with times as text: the least that its writer can be asked for
    astropy_fits      Table with an MJD column of doubles, masked TEMP, STATE as bytes
    astropy_votable   the same columns
    pyarrow_feather   not compressed
    polars_ipc        not compressed
    polars_ndjson
    pandas_ndjson

The table is loaded as the peer likes it before the clock starts. One line is printed for each of TIMES (2) runs: wall and CPU seconds, size,
peak memory of the process. The file is removed.
"""

import os
import resource
import sys
import time
import warnings


def prepare(path, peer):
    library, form = peer.split('_', 1)
    if library == 'polars':
        import polars as pl
        frame = pl.read_parquet(path)
        if form == 'parquet':
            return lambda out: frame.write_parquet(out, compression='zstd', compression_level=3)
        if form == 'csv':
            return lambda out: frame.write_csv(out, datetime_format='%Y-%m-%dT%H:%M:%S%.6fZ')
        if form == 'ipc':
            return lambda out: frame.write_ipc(out, compression='uncompressed')
        return lambda out: frame.write_ndjson(out)
    if library == 'pyarrow':
        import pyarrow.csv
        import pyarrow.feather
        import pyarrow.parquet
        table = pyarrow.parquet.read_table(path)
        if form == 'parquet':
            return lambda out: pyarrow.parquet.write_table(table, out, compression='zstd', compression_level=3)
        if form == 'csv':
            return lambda out: pyarrow.csv.write_csv(table, out)
        return lambda out: pyarrow.feather.write_feather(table, out, compression='uncompressed')
    if library == 'pandas':
        import pandas as pd
        frame = pd.read_parquet(path)
        if form == 'csv':
            return lambda out: frame.to_csv(out, index=False)
        return lambda out: frame.to_json(out, orient='records', lines=True, date_format='iso', date_unit='us', double_precision=15)
    import numpy as np
    import pyarrow.parquet
    from astropy.table import MaskedColumn, Table
    from astropy.time import Time
    columns = pyarrow.parquet.read_table(path)
    times = columns['time'].to_numpy().astype('datetime64[us]')
    temp = columns['TEMP'].to_numpy()
    table = Table()
    if form == 'ecsv':
        table['time'] = Time(times, format='datetime64', scale='utc')
    elif form == 'ecsv_text':
        table['time'] = np.datetime_as_string(times)
    else:
        table['time'] = times.astype('i8') / 86400e6 + 40587
    table['VOLT'] = MaskedColumn(columns['VOLT'].to_numpy(), unit='V')
    table['TEMP'] = MaskedColumn(temp, mask=np.isnan(temp), unit='deg_C')
    table['COUNT'] = columns['COUNT'].to_numpy()
    table['STATE'] = columns['STATE'].to_numpy().astype('S7' if form == 'fits' else 'U7')
    if form == 'fits':
        return lambda out: table.write(out, format='fits')
    if form == 'votable':
        return lambda out: table.write(out, format='votable')
    return lambda out: table.write(out, format='ascii.ecsv', delimiter=',')


def main():
    warnings.simplefilter('ignore')
    path, peer, out = sys.argv[1:4]
    times = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    write = prepare(path, peer)
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        write(out)
        # Ours are on disk when they are written.
        with open(out, 'rb+') as file:
            os.fsync(file.fileno())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f'{peer}: {os.path.getsize(out) / 1e6:.1f} MB: {wall:.3f} s, {cpu:.2f} CPU s, peak {peak:.1f} MB', flush=True)
        os.remove(out)


main()
