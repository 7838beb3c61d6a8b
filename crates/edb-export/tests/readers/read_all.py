#!/usr/bin/env python3
"""Opens every format in every reader that claims it, and compares every value, null, unit and time with the truth.

    python3 read_all.py SPECIMENS FITSVERIFY

SPECIMENS is the program of examples/specimens.rs, FITSVERIFY that of HEASARC. Needs astropy, pandas, pyarrow, polars, duckdb and xmllint.
The truth is made here; the tested code only writes it.
"""

import datetime
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

import astropy.units as u
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from astropy.io import fits, votable
from astropy.io.votable import xmlutil
from astropy.table import Table
from astropy.time import Time
from astropy.timeseries import TimeSeries

T0 = 1_709_251_200_064_000
AWKWARD = ['a,b', '"', 'say ""', 'two\nlines', 'cr\r\nlf', 'µ°é', '→ 中文', '😀', "it's", '#x', 'no#comment', 'back\\slash', '<a&b>', 'NULL', '', '-', ' x', 'line\u2028end', 'form\x0cfeed', 'next\x85line', '\x1cx']


def column(name, kind, values, unit='', description=''):
    return {'name': name, 'kind': kind, 'values': values, 'unit': unit, 'description': description}


def truths(seed=20261126):
    rng = random.Random(seed)
    rows = 60
    times = [T0 + 64_000 * row + row % 3 for row in range(rows)]
    times[7] = times[6]
    some = lambda values: [None if rng.random() < 0.2 else value for value in values]
    real = lambda: rng.choice([rng.gauss(0, 1), rng.uniform(-1e300, 1e300), rng.random() * 5e-324, 0.1, -0.0, 1e16, 123456789.123])
    every = {
        'facts': [['source', 'a test: with colons, "quotes"'], ['lines', 'one\ntwo é']],
        'columns': [
            column('time', 'time', times, description='time of the sample, UTC'),
            column('until', 'time', some(times), description='later'),
            column('REAL', 'real', [repr(real()) for _ in times], 'V', 'a "real" one, é' + ', and so on' * 10),
            column('GAPPY', 'real', some([repr(real()) for _ in times]), 'C'),
            column('ODD', 'real', ['nan', 'inf', '-inf', None] + ['1.5'] * (rows - 4), 'deg/s'),
            column('BIG', 'integer', [2**53 + 1 + row for row in range(rows)], 'counts'),
            column('BIG_GAPPY', 'integer', some([rng.choice([-2**63, 2**63 - 1, 2**60 + 1, 0]) for _ in times]), 'steps'),
            column('SMALL', 'integer', [row % 3 for row in range(rows)], '%'),
            column('STATE', 'text', [('ON', 'OFF')[row // 9 % 2] for row in range(rows)]),
            column('TEXT', 'text', some([AWKWARD[row % len(AWKWARD)] for row in range(rows)])),
            column('NO_REAL', 'real', [None] * rows, 'K'),
            column('NO_INTEGER', 'integer', [None] * rows),
            column('NO_TEXT', 'text', [None] * rows),
            column('EMPTY', 'text', [''] * rows),
            column('NONE', 'real', ['2.5'] * rows, 'N/A'),
        ],
    }
    pick = lambda rows: {
        'facts': every['facts'],
        'columns': [dict(one, values=one['values'][:rows]) for one in every['columns']],
    }
    names = {
        'facts': [],
        'columns': [column('time', 'time', times[:3])] + [
            column(name, 'real', ['1.5', None, '-2.25'], 'A') for name in ('a,b', 'say "x"', 'two\nlines', 'µ°é', 'A_B', '<&>', ' lead')
        ],
    }
    no_time = {'facts': [], 'columns': [column('state', 'text', ['ON', 'OFF']), column('n', 'integer', [1, None])]}
    return {'every': every, 'one': pick(1), 'none': pick(0), 'names': names, 'no_time': no_time}


def is_missing(value):
    return value is None or value is np.ma.masked or value is pd.NA or value is pd.NaT


def plain(value, kind):
    """A cell as int, float, str or None; a time as microseconds."""
    if is_missing(value):
        return None
    if kind == 'time':
        if isinstance(value, (int, np.integer)):
            return int(value)
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value.replace('Z', '+00:00'))
            if value.tzinfo is None:
                value = value.replace(tzinfo=datetime.timezone.utc)
        if isinstance(value, np.datetime64):
            return None if np.isnat(value) else int(value.astype('datetime64[us]').astype(np.int64))
        if isinstance(value, pd.Timestamp):
            return value.value // 1000 if value.unit == 'ns' else int(value.as_unit('us')._value)
        delta = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
    if kind == 'real':
        return float(value)
    if kind == 'integer':
        return int(value)
    return str(value)


class Reader:
    """What a reader is known not to tell apart; everything else must be the same."""

    def __init__(self, name, **lax):
        self.name, self.lax = name, lax

    def check(self, what, truth, cells):
        """`cells`: a list for each column by name."""
        expected = [column['name'] for column in truth['columns']]
        found = list(cells)
        if self.lax.get('names'):
            found = expected if len(found) == len(expected) else found
            cells = dict(zip(expected, cells.values()))
        assert found == expected, f'{self.name}: {what}: columns {found}'
        for column in truth['columns']:
            self.column(f'{self.name}: {what}: {column["name"]!r}', column, list(cells[column['name']]))

    def column(self, where, column, cells):
        kind, values = column['kind'], column['values']
        assert len(cells) == len(values), f'{where}: {len(cells)} rows'
        has_nulls = None in values
        for row, (cell, value) in enumerate(zip(cells, values)):
            at = f'{where}: row {row}: found {cell!r}, expected {value!r}'
            if kind == 'real' and value is not None:
                value = float(value)
            if self.lax.get('integers_with_nulls_are_doubles') and kind == 'integer' and has_nulls:
                assert (math.isnan(cell) if value is None else float(cell) == float(value)), at
                continue
            if kind == 'real' and self.lax.get('nan_is_null') and (value is None or math.isnan(value)):
                assert is_missing(cell) or math.isnan(cell), at
                continue
            if kind == 'real' and self.lax.get('not_finite_is_null') and value is not None and not math.isfinite(value):
                value = None
            if self.lax.get('empty_is_null') and isinstance(cell, (str, bytes)) and not cell:
                cell = None
            if kind == 'text':
                if value == '' and self.lax.get('empty_is_null'):
                    value = None
                if value is None and 'null_text' in self.lax:
                    assert str(cell) == self.lax['null_text'], at
                    continue
                if value is not None and self.lax.get('text'):
                    value = self.lax['text'](value)
            if kind == 'real' and value is None and isinstance(cell, float) and self.lax.get('null_is_nan'):
                assert math.isnan(cell), at
                continue
            cell = plain(cell, kind)
            if kind == 'real' and value is not None:
                same = cell is not None and (math.isnan(cell) and math.isnan(value) or np.float64(cell).tobytes() == np.float64(value).tobytes())
                assert same, at
            else:
                assert cell == value, at


def of_arrow(table):
    table = table.combine_chunks()
    cells = {}
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_timestamp(column.type):
            assert column.type == pa.timestamp('us', 'UTC'), column.type
            column = column.cast(pa.int64())
        else:
            assert column.type in (pa.float64(), pa.int64(), pa.string()), column.type
        cells[name] = column.to_pylist()
    return cells


def of_polars(frame):
    cells = {}
    for series in frame:
        if series.dtype == pl.Datetime:
            assert series.dtype == pl.Datetime('us', 'UTC'), series.dtype
            series = series.dt.epoch('us')
        cells[series.name] = series.to_list()
    return cells


def of_pandas(frame):
    return {name: [None if is_missing(value) else value for value in frame[name].tolist()] for name in frame.columns}


def of_duckdb(query):
    relation = duckdb.sql(query)
    # Times as microseconds: DuckDB gives them in the zone of the machine.
    parts = [
        f'epoch_us("{name.replace(chr(34), 2 * chr(34))}") as "{name.replace(chr(34), 2 * chr(34))}"' if 'TIMESTAMP' in str(kind)
        else f'"{name.replace(chr(34), 2 * chr(34))}"'
        for name, kind in zip(relation.columns, relation.types)
    ]
    rows = relation.project(', '.join(parts)).fetchall()
    return {name: [row[at] for row in rows] for at, name in enumerate(relation.columns)}


def of_astropy(table):
    cells = {}
    for name in table.colnames:
        column = table[name]
        if isinstance(column, Time):
            assert column.scale == 'utc', column.scale
            mask = np.broadcast_to(np.ma.getmaskarray(column.mask) if np.ma.isMaskedArray(column.mask) else column.mask, column.shape)
            # To the nearest microsecond, in two doubles.
            days = np.asarray(column.jd1) - 2440587.5
            whole = np.floor(np.where(mask, 0, days))
            micros = np.rint(((np.where(mask, 0, days) - whole) + np.where(mask, 0, np.asarray(column.jd2))) * 86400e6)
            cells[name] = [None if hidden else int(day) * 86_400_000_000 + int(micro) for hidden, day, micro in zip(mask, whole, micros)]
        else:
            cells[name] = [None if value is np.ma.masked else value for value in column]
    return cells


UNITS = {'V': u.V, 'C': u.deg_C, 'deg/s': u.deg / u.s, 'counts': u.ct, 'K': u.K, 'A': u.A, '%': u.percent, '': None, 'N/A': None, 'steps': None}


def check_units(where, truth, table, fits_words=False):
    for column in truth['columns']:
        name = column['name'] if column['name'] in table.colnames else None
        if name is None or column['kind'] == 'time':
            continue
        expected, found = UNITS[column['unit']], table[name].unit
        if fits_words and column['unit'] in ('%', 'steps'):
            assert isinstance(found, u.UnrecognizedUnit) and str(found) == column['unit'], f'{where}: {name}: {found!r}'
        else:
            assert found == expected if expected is not None else found is None, f'{where}: {name}: {found!r}'


def check_meaning(where, truth, table):
    for column in truth['columns']:
        if column['description']:
            assert table[column['name']].info.description == column['description'], f'{where}: {column["name"]}'
    facts = truth['facts'] + [['notice', 'none of this was measured']]
    assert [list(pair) for pair in table.meta['edb.provenance']] == facts, f'{where}: {table.meta}'


def parquet(path, truth, checked):
    Reader('pyarrow').check('Parquet', truth, of_arrow(pa.parquet.read_table(path)))
    Reader('polars').check('Parquet', truth, of_polars(pl.read_parquet(path)))
    frame = pd.read_parquet(path, dtype_backend='pyarrow')
    Reader('pandas').check('Parquet', truth, of_pandas(frame))
    Reader('pandas, plain', integers_with_nulls_are_doubles=True, null_is_nan=True).check(
        'Parquet', truth, {name: [None if isinstance(v, float) and math.isnan(v) and frame[name].dtype == 'string[pyarrow]' else v for v in values]
                           for name, values in of_pandas(pd.read_parquet(path)).items()} | {
            column['name']: [None if is_missing(v) or isinstance(v, float) else v for v in pd.read_parquet(path)[column['name']].tolist()]
            for column in truth['columns'] if column['kind'] in ('text', 'time')})
    Reader('duckdb').check('Parquet', truth, of_duckdb(f"from read_parquet('{path}')"))
    table = Table.read(path, format='parquet')
    Reader('astropy', integers_with_nulls_are_doubles=True, null_is_nan=True, null_text='None').check('Parquet', truth, of_astropy(table))
    check_units('Parquet', truth, table)
    check_meaning('Parquet', truth, table)
    if 'until' not in table.colnames and 'time' in table.colnames:
        assert TimeSeries.read(path, format='parquet').time.scale == 'utc'
    metadata = pa.parquet.read_schema(path).metadata
    facts = truth['facts'] + [['notice', 'none of this was measured']]
    assert json.loads(metadata[b'edb.provenance']) == facts
    about = json.loads(metadata[b'edb.columns'])
    assert {name: one['unit'] for name, one in about.items()} == {one['name']: one['unit'] for one in truth['columns']}
    checked += ['pyarrow', 'polars', 'pandas', 'duckdb', 'astropy']


def arrow(path, truth, checked):
    Reader('pyarrow').check('Arrow', truth, of_arrow(pa.feather.read_table(path)))
    Reader('polars').check('Arrow', truth, of_polars(pl.read_ipc(path)))
    Reader('pandas').check('Arrow', truth, of_pandas(pd.read_feather(path, dtype_backend='pyarrow')))
    with pa.OSFile(path) as file:
        schema = pa.ipc.open_file(file).schema
    assert json.loads(schema.metadata[b'edb.provenance'])[-1] == ['notice', 'none of this was measured']
    for column in truth['columns']:
        metadata = schema.field(column['name']).metadata or {}
        assert metadata.get(b'unit', b'').decode() == column['unit']
    checked += ['pyarrow', 'polars', 'pandas']


def csv(path, truth, checked):
    comments = sum(1 for line in open(path, encoding='utf8', newline='\n') if line.startswith('#'))
    # A line inside a quoted field may begin with a hash: the comments are those at the beginning.
    lines = open(path, encoding='utf8', newline='').read().split('\n')
    comments = next(number for number, line in enumerate(lines) if not line.startswith('#'))
    kinds = {column['name']: column['kind'] for column in truth['columns']}
    schema = {name: {'time': pl.String, 'real': pl.Float64, 'integer': pl.Int64, 'text': pl.String}[kind] for name, kind in kinds.items()}
    frame = pl.read_csv(path, skip_lines=comments, schema_overrides=list(schema.values()))
    # It leaves the quotes of names as they are.
    Reader('polars', names=True).check('CSV', truth, {series.name: series.to_list() for series in frame})
    types = {'time': 'string', 'real': 'Float64', 'integer': 'Int64', 'text': 'string'}
    frame = pd.read_csv(path, comment='#', dtype={name: types[kind] for name, kind in kinds.items()}, keep_default_na=False,
                        na_values={name: ['', 'NaN'] if kind == 'real' else [''] for name, kind in kinds.items()})
    Reader('pandas', empty_is_null=True, nan_is_null=True).check('CSV', truth, of_pandas(frame))
    types = {'time': 'TIMESTAMPTZ', 'real': 'DOUBLE', 'integer': 'BIGINT', 'text': 'VARCHAR'}
    columns = ', '.join(f"'{name.replace(chr(39), 2 * chr(39))}': '{types[kind]}'" for name, kind in kinds.items())
    cells = of_duckdb(f"from read_csv('{path}', skip={comments}, header=true, delim=',', quote='\"', escape='\"', new_line='\\n', "
                      f"columns={{{columns}}}, allow_quoted_nulls=false, auto_detect=false)")
    Reader('duckdb').check('CSV', truth, cells)
    import csv as module
    rows = list(module.reader(lines_of(path, comments)))
    assert rows[0] == list(kinds) and len(rows) == 1 + len(truth['columns'][0]['values'])
    checked += ['polars', 'pandas', 'duckdb', 'python']


def lines_of(path, comments):
    file = open(path, encoding='utf8', newline='')
    for _ in range(comments):
        file.readline()
    return file


def ecsv(path, truth, checked):
    table = Table.read(path, format='ascii.ecsv')
    # Astropy takes blanks around a text for padding, in quotes too, and Python any line end for its own.
    lax = {'empty_is_null': True, 'text': lambda text: re.sub('[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]', '\ufffd', text).strip().replace('\r\n', '\n'), 'names': any(column['name'] != ' '.join(column['name'].split()) for column in truth['columns'])}
    Reader('astropy', **lax).check('ECSV', truth, of_astropy(table))
    check_units('ECSV', truth, table)
    check_meaning('ECSV', truth, table)
    if 'time' in table.colnames and table['time'].shape[0]:
        series = TimeSeries.read(path, format='ascii.ecsv')
        assert series.time.scale == 'utc'
    with tempfile.TemporaryDirectory() as folder:
        again = os.path.join(folder, 'again.ecsv')
        table.write(again, format='ascii.ecsv', delimiter=',')
        Reader('astropy, again', **lax).check('ECSV', truth, of_astropy(Table.read(again, format='ascii.ecsv')))
    checked += ['astropy', 'astropy, written and read again']


def unescaped(escaped):
    return lambda text: text.encode('unicode_escape').decode('ascii') if escaped else text


def fits_table(path, truth, checked, fitsverify):
    for native in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', u.UnitsWarning)
            table = Table.read(path, format='fits', astropy_native=native, character_as_bytes=False)
        cells = of_astropy(table)
        for at, column in enumerate(truth['columns']):
            name = table.colnames[at]
            if column['kind'] == 'time' and not native:
                cells[name] = [None if value is None or math.isnan(value) else round((value - 40587) * 86400e6) for value in cells[name]]
            if column['kind'] == 'text' and any(not all(' ' <= c <= '~' for c in value or '') for value in column['values']):
                # Readers take blanks at the end of a text for padding; those at its beginning stay.
                cells[name] = [None if value is None else str(value).encode('ascii').decode('unicode_escape') for value in cells[name]]
        Reader(f'astropy, native {native}', empty_is_null=True, nan_is_null=True, names=True).check('FITS', truth, cells)
        if path.endswith('every.fits'):
            check_units('FITS', truth, table, fits_words=True)
    with fits.open(path) as file:
        header = file[1].header
        assert header['TIMESYS'] == 'UTC' and header['MJDREF'] == 0 if 'time' in header['TTYPE1'] else True
        history = ''.join(card.ljust(72) for card in header.get('HISTORY', []))
        assert 'notice: none of this was measured' in history
    said = subprocess.run([fitsverify, path], capture_output=True, text=True).stdout
    assert '0 warning(s) and 0 error(s)' in said, said
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        again = os.path.join(folder, 'again.fits')
        table = Table.read(path, format='fits')
        table.write(again)
        copy = Table.read(again, format='fits')
        for name in table.colnames:
            same = (np.ma.getmaskarray(np.ma.asarray(table[name])) == np.ma.getmaskarray(np.ma.asarray(copy[name]))).all()
            assert same and table[name].unit == copy[name].unit, name
    checked += ['astropy', 'astropy, Time columns', 'fitsverify', 'astropy, written and read again']


def vo(path, truth, checked):
    with open(os.devnull, 'w') as nowhere:
        assert votable.validate(path, output=nowhere), votable.validate(path, output=sys.stdout)
    code, _, said = xmlutil.validate_schema(path, '1.4')
    assert code == 0, said.decode()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        table = votable.parse_single_table(path, verify='exception').to_table()
    Reader('astropy', empty_is_null=True, nan_is_null=True, names=True, text=lambda text: re.sub('[\x00-\x08\x0b\x0c\x0e-\x1f]', '\ufffd', text).strip()).check('VOTable', truth, of_astropy(table))
    for name, column in zip(table.colnames, truth['columns']):
        # VOUnits has no word for these: they are units of one's own, of the same name.
        own = {'C': 'deg_C', '%': 'percent'}.get(column['unit'])
        found, expected = table[name].unit, None if column['kind'] == 'time' else UNITS[column['unit']]
        assert (str(found) == own) if own else (found == expected if expected is not None else found is None), f'{name}: {found!r}'
    checked += ['astropy', "astropy's validator", 'the schema']


def json_lines(path, truth, checked):
    kinds = {column['name']: column['kind'] for column in truth['columns']}
    rows = [json.loads(line) for line in open(path, encoding='utf8', newline='\n')]
    Reader('python', not_finite_is_null=True).check('JSON Lines', truth, {name: [row[name] for row in rows] for name in kinds})
    if rows:
        schema = {name: {'time': pl.String, 'real': pl.Float64, 'integer': pl.Int64, 'text': pl.String}[kind] for name, kind in kinds.items()}
        frame = pl.read_ndjson(path, schema=schema)
        Reader('polars', not_finite_is_null=True).check('JSON Lines', truth, {series.name: series.to_list() for series in frame})
        types = {'time': 'TIMESTAMPTZ', 'real': 'DOUBLE', 'integer': 'BIGINT', 'text': 'VARCHAR'}
        columns = ', '.join(f"'{name.replace(chr(39), 2 * chr(39))}': '{types[kind]}'" for name, kind in kinds.items())
        Reader('duckdb', not_finite_is_null=True).check(
            'JSON Lines', truth, of_duckdb(f"from read_json('{path}', format='newline_delimited', columns={{{columns}}})"))
    about = json.load(open(path + '.about.json', encoding='utf8'))
    assert about['edb.provenance'][-1] == ['notice', 'none of this was measured']
    assert {name: one['unit'] for name, one in about['edb.columns'].items()} == {one['name']: one['unit'] for one in truth['columns']}
    checked += ['python', 'polars', 'duckdb']


def main():
    specimens, fitsverify = sys.argv[1:3]
    pl.Config.set_tbl_rows(50)
    truth = truths()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'truth.json'), 'w', encoding='utf8') as file:
            json.dump(truth, file)
        subprocess.run([specimens, os.path.join(folder, 'truth.json'), folder], check=True)
        checks = {
            'parquet': parquet, 'arrow': arrow, 'csv': csv, 'ecsv': ecsv, 'vot': vo, 'jsonl': json_lines,
            'fits': lambda *arguments: fits_table(*arguments, fitsverify),
        }
        failed = False
        for extension, check in checks.items():
            for name, one in truth.items():
                checked = []
                try:
                    check(os.path.join(folder, f'{name}.{extension}'), one, checked)
                    print(f'{name}.{extension}: {len(one["columns"])} columns of {len(one["columns"][0]["values"])} rows: {", ".join(checked)}')
                except Exception as error:  # All of them are told, not only the first.
                    failed = True
                    if os.environ.get('TRACE'):
                        import traceback
                        traceback.print_exc()
                    print(f'{name}.{extension}: FAILED: {type(error).__name__}: {error}')
        sys.exit(failed)


if __name__ == '__main__':
    main()
