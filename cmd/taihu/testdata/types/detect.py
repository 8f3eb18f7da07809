"""What other programs decide about the columns of shared/data, as facts for TestTypes.

    python detect.py csv-detective FOLDER > csv-detective.tsv   (pip install csv-detective==0.13.0)
    python detect.py duckdb FOLDER > duckdb.tsv                 (pip install duckdb==2.0.1)

A line is file, column, type. Nothing of the data goes in but the names of the columns;
a file that the program cannot read gives no line. csv-detective reads CSV and XLSX
(first sheet), DuckDB the JSON and the CSV without a header (.dat) that csv-detective
does not. Both look at all rows. csv-detective is asked for types, not for meanings
(postcodes of France and the like), which would take it an hour.
"""

import os
import sys

SUFFIXES = {"csv-detective": (".csv", ".tsv", ".xlsx", ".xlsm"), "duckdb": (".json", ".ndjson", ".jsonl", ".geojson", ".dat")}


def csv_detective(path):
    from csv_detective import routine

    analysis = routine(path, num_rows=-1, tags=["type"], save_results=False)
    return [(name, c["python_type"]) for name, c in analysis["columns"].items()]


def duckdb(path):
    import duckdb

    read = "read_csv" if path.endswith(".dat") else "read_json"
    kind = duckdb.sql(f"DESCRIBE SELECT * FROM {read}('{path}', sample_size=-1)")
    # Structures carry the names of their fields, which nobody compares.
    return [(row[0], row[1].split("(")[0] + ("[]" if row[1].endswith("[]") else "")) for row in kind.fetchall()]


def main(tool, folder):
    read = {"csv-detective": csv_detective, "duckdb": duckdb}[tool]
    for at, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if not name.lower().endswith(SUFFIXES[tool]) or name == "datapackage.json":  # no data
                continue
            path = os.path.join(at, name)
            short = os.path.relpath(path, folder)
            try:
                columns = read(path)
            except Exception as e:  # each program has many of its own
                print(short, type(e).__name__, file=sys.stderr)
                continue
            for column, kind in columns:
                cell = str(column).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
                print(short, cell, kind, sep="\t", flush=True)


main(*sys.argv[1:])
