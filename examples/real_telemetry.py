#!/usr/bin/env python3
"""Checks the whole chain on real telemetry: import, serve, fetch over HTTP, export, draw.

    python3 examples/real_telemetry.py EDB FOLDER

EDB is the binary, FOLDER holds EDB CSV files of one mnemonic each. They are imported into a new store, the store is served
over the EDB protocol, and nine mnemonics are fetched from it over independent ranges. Every exported time and value must be
the one in the CSV file, exactly, and the counts those of an independent count. Only the standard library is used.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

SELECTION = [
    ("SA_ZADUCMDX", "2019-06-03 16:22:00.000000", "2019-06-03 18:10:00.000000"),
    ("SA_ZADUCMDY", "2019-06-03 16:30:00.000000", "2019-06-03 17:00:00.500000"),
    ("SA_ZATTEST1", "2019-06-03 16:22:35.784000", "2019-06-03 18:09:05.544000"),
    ("SA_ZATTEST4", "2019-06-03 17:00:00.000000", "2019-06-03 18:00:00.000000"),
    ("SA_ZFGDETID", "2019-06-03 17:00:00.000000", "2019-06-03 17:00:10.000000"),
    ("SA_ZFGGSCMDX", "2019-06-03 16:23:00.872000", "2019-06-03 17:23:00.872000"),
    ("SA_ZFGGSPOSX", "2019-06-03 16:45:12.345678", "2019-06-03 16:45:56.789012"),
    ("SA_ZRFGS2J11", "2019-06-03 18:00:00.000000", "2019-06-03 18:09:00.000000"),
    ("INRSI_GWA_Y_TILT_AVGED", "2019-06-03 17:10:00.000000", "2019-06-03 17:50:00.000000"),
]


def main(edb: str, folder: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        subprocess.run([edb, "store", "import", "--store", work / "store", folder], check=True)
        server = subprocess.Popen(
            [edb, "serve", "--store", work / "store", "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        try:
            url = server.stdout.readline().strip()
            words = [f"{m}@{a.replace(' ', 'T')}Z/{b.replace(' ', 'T')}Z" for m, a, b in SELECTION]
            outputs = [arg for file in ("out.csv", "out.parquet", "out.png") for arg in ("-o", work / file)]
            summary = subprocess.run(
                [edb, "export", "--source", url, "--summary", "json", *words, *outputs],
                check=True, stdout=subprocess.PIPE, text=True,
            )
        finally:
            server.terminate()
            server.wait()
        check(folder, work, json.loads(summary.stdout))


def check(folder: pathlib.Path, work: pathlib.Path, summary: dict) -> None:
    exported: dict[str, list[tuple[str, float]]] = {}
    with open(work / "out.csv", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            time = row["time"].replace("T", " ").rstrip("Z")
            exported.setdefault(row["mnemonic"], []).append((time, float(row["value"])))
    total = 0
    for (mnemonic, start, stop), series in zip(SELECTION, summary["series"], strict=True):
        with open(folder / f"{mnemonic}.csv", newline="") as file:
            # Fixed-width UTC text sorts as time does.
            truth = [
                (row["theTime"], float(row["euvalue"]))
                for row in csv.DictReader(file)
                if start <= row["theTime"] < stop
            ]
        assert truth and exported[mnemonic] == truth, f"{mnemonic}: {len(exported[mnemonic])} rows, {len(truth)} in the CSV"
        assert series["samples"] == len(truth), f"{mnemonic}: {series['samples']} counted, {len(truth)} in the CSV"
        total += len(truth)
    assert (work / "out.png").read_bytes().startswith(b"\x89PNG")
    print(f"{len(SELECTION)} mnemonics over HTTP, {total} samples: every time and value equals the CSV's")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
