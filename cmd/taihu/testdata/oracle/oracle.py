"""Reads every table of a running portal back from every format and holds them to
each other: rows, the sum of every column of numbers, every value.

    oracle.py ADDRESS [--sheets N]

No code here is the portal's, and every format has a reader that others wrote: csv and
pyarrow (CSV, TSV), json (JSON, NDJSON), openpyxl and LibreOffice (XLSX), pyarrow
(Parquet, Arrow), expat (XML), GDAL through geopandas with shapely, and json (GeoJSON).
The values are compared as the texts that the API guide promises; how a reader's own
value becomes that text is written anew below. LibreOffice reads N tables that are
small enough. Prints a line for each difference, one of figures at the end, and exits
with 1 where there was a difference.
"""

import argparse
import base64
import collections
import csv
import datetime
import decimal
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as etree
import zipfile

import geopandas
import numpy
import openpyxl
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

csv.field_size_limit(1 << 30)
decimal.getcontext().prec = 200
figures = collections.Counter()


class Number(str):
    """A number of JSON as it is written."""


# Values as texts.


def of_double(f):
    """As ECMAScript writes it, but for the sign of -0."""
    if f != f:
        return "NaN"
    if f in (float("inf"), float("-inf")):
        return "Infinity" if f > 0 else "-Infinity"
    sign, digits, exponent = decimal.Decimal(repr(f)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + exponent
    if f == 0:
        text = "0"
    elif 0 < point <= 21:
        text = text.ljust(point, "0") if point >= len(text) else text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if len(text) > 1 else "") + "e%+d" % (point - 1)
    return "-" + text if sign else text


def of_decimal(d, scale):
    return format(d.quantize(decimal.Decimal(1).scaleb(-scale)), "f")


def of_days(days):
    return str(numpy.datetime64(int(days), "D"))


def of_micros(micros):
    seconds, rest = divmod(int(micros), 10**6)
    text = "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return text + (".%06d" % rest).rstrip("0") if rest else text


def of_moment(micros, zone):
    days, rest = divmod(int(micros), 86400 * 10**6)
    return of_days(days) + "T" + of_micros(rest) + (zone or "+08:00")


def offset(zone):
    if zone in ("Z", "UTC"):
        return 0
    hours, minutes = (zone or "+08:00")[1:].split(":")
    return (-1 if zone[:1] == "-" else 1) * (int(hours) * 60 + int(minutes)) * 60 * 10**6


# Readers: bytes → columns of texts, None for null.


def by_column(rows, columns):
    return [list(c) for c in zip(*rows)] if rows else [[] for _ in columns]


def read_csv(body, columns, delimiter):
    """csv does not tell null from an empty text: both are None here."""
    rows = list(csv.reader(io.StringIO(body.decode(), newline=""), delimiter=delimiter, strict=True))
    names, rows = rows[0], rows[1:]
    if len(columns) == 1:  # a null is "" there
        rows = [r or [""] for r in rows]
    return names, by_column([[v or None for v in r] for r in rows], columns)


def read_csv_arrow(body, columns, delimiter):
    table = pyarrow.csv.read_csv(
        io.BytesIO(body),
        read_options=pyarrow.csv.ReadOptions(block_size=max(len(body) + 1, 1 << 20), column_names=[str(i) for i in range(len(columns))], skip_rows=0),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={str(i): pyarrow.string() for i in range(len(columns))}, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    values = [c.to_pylist() for c in table.columns]
    if len(columns) == 1:
        values = [[v or None for v in values[0]]]
    return [v[0] for v in values], [v[1:] for v in values]


def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=lambda c: 1 / 0)


def of_json(value, column):
    """A member's value; that it has the type of its column is asked too."""
    if value is None:
        return None
    kind = column["type"]
    if kind == "json":
        return value
    if kind == "boolean":
        return {True: "true", False: "false"}[value]
    words = kind == "number" and value in ("NaN", "Infinity", "-Infinity")
    if isinstance(value, Number) != (kind in ("integer", "decimal", "number") and not words):
        return "%s of another type: %r" % (type(value).__name__, value)
    return str(value)


def read_objects(objects, columns):
    names = [c["name"] for c in columns]
    for o in objects:
        if list(o) != names:
            return list(o), []
    return names, [[of_json(o[c["name"]], c) for o in objects] for c in columns]


def read_json(body, columns):
    return read_objects(parse(body), columns)


def read_ndjson(body, columns):
    return read_objects([parse(line) for line in body.decode().split("\n")[:-1]], columns)


def of_arrow(values, column):
    kind = values.type
    if pyarrow.types.is_floating(kind):
        return [None if v is None else of_double(v) for v in values.to_pylist()]
    if pyarrow.types.is_decimal(kind):
        return [None if v is None else of_decimal(v, column.get("scale", 0)) for v in values.to_pylist()]
    if pyarrow.types.is_boolean(kind):
        return [None if v is None else "true" if v else "false" for v in values.to_pylist()]
    if pyarrow.types.is_date32(kind):
        return [None if v is None else of_days(v) for v in values.cast(pyarrow.int32()).to_pylist()]
    if pyarrow.types.is_time64(kind):
        return [None if v is None else of_micros(v) for v in values.cast(pyarrow.int64()).to_pylist()]
    if pyarrow.types.is_timestamp(kind):
        shift = offset(column.get("zone", "")) if kind.tz else 0
        return [None if v is None else of_moment(v + shift, column.get("zone")) for v in values.cast(pyarrow.int64()).to_pylist()]
    return [None if v is None else str(v) for v in values.to_pylist()]


def read_arrow_table(table, columns):
    return table.column_names, [of_arrow(table.column(i), c) for i, c in enumerate(columns)]


def read_parquet(body, columns):
    return read_arrow_table(pyarrow.parquet.read_table(io.BytesIO(body)), columns)


def read_arrow(body, columns):
    return read_arrow_table(pyarrow.ipc.open_stream(io.BytesIO(body)).read_all(), columns)


def read_xml(body, columns):
    names, rows = [c["name"] for c in columns], []
    for _, row in etree.iterparse(io.BytesIO(body)):
        if row.tag != "row":
            continue
        values = []
        for i, c in enumerate(row):
            name = c.get("name") if c.get("name") is not None else base64.b64decode(c.get("base64-name")).decode()
            if i >= len(names) or name != names[i]:
                return [name], []
            text = c.text or ""
            values.append(None if c.get("null") == "true" else base64.b64decode(text).decode() if c.get("encoding") == "base64" else text)
        rows.append(values)
        row.clear()
    return names, by_column(rows, columns)


def of_cell(value, column):
    """A value of a sheet. An empty text is not told from an empty cell."""
    kind = column["type"]
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "integer" and value == int(value):
        return str(int(value))
    if kind == "decimal" and not isinstance(value, bool):
        return of_decimal(decimal.Decimal(repr(value)), column.get("scale", 0))
    if kind == "number" and not isinstance(value, bool):
        return of_double(float(value))
    if kind == "date" and isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if kind == "time" and isinstance(value, datetime.time):
        return of_micros(((value.hour * 60 + value.minute) * 60 + value.second) * 10**6 + value.microsecond)
    if kind == "datetime" and isinstance(value, datetime.datetime):
        return of_moment((value - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1), column.get("zone"))
    return "%s of another type: %r" % (type(value).__name__, value)


def unescape(text):
    """_x000D_ of a sheet's text, which openpyxl leaves as it is."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if isinstance(text, str) else text


def read_xlsx(body, columns):
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
    rows = book.worksheets[0].iter_rows(values_only=True)
    names = [unescape(n) for n in next(rows)]
    values = [[] for _ in columns]
    for row in rows:
        row = row + (None,) * (len(columns) - len(row))
        for c, (v, column) in enumerate(zip(row, columns)):
            values[c].append(of_cell(unescape(v), column))
    return names, values


def read_geojson(body, columns):
    """The properties by json; the places by GDAL, held to the columns they come from."""
    features = parse(body)["features"]
    names, values = read_objects([f["properties"] for f in features], columns)
    places = geopandas.read_file(io.BytesIO(body), engine="pyogrio") if features else []
    if len(places) != len(features):
        return ["GDAL reads %d features of %d" % (len(places), len(features))], []
    if features:
        for i, (f, place) in enumerate(zip(features, places.geometry)):
            written = f["geometry"] and tuple(float(x) for x in f["geometry"]["coordinates"])
            if written != (None if place is None else (place.x, place.y)):
                return ["feature %d: GDAL reads %s, written %s" % (i + 1, place, written)], []
            row = {v[i] for v, c in zip(values, columns) if c["type"] in ("integer", "decimal", "number")}
            if written and not {str(x) for x in f["geometry"]["coordinates"]} <= row:
                return ["feature %d: the place %s is not in its row" % (i + 1, written)], []
        figures["places"] += sum(f["geometry"] is not None for f in features)
    return names, values


def read_plain(body, columns, fmt):
    return {
        "csv": lambda: read_csv(body, columns, ","), "tsv": lambda: read_csv(body, columns, "\t"), "json": lambda: read_json(body, columns),
        "ndjson": lambda: read_ndjson(body, columns), "xlsx": lambda: read_xlsx(body, columns), "parquet": lambda: read_parquet(body, columns),
        "arrow": lambda: read_arrow(body, columns), "xml": lambda: read_xml(body, columns), "geojson": lambda: read_geojson(body, columns),
    }[fmt]()


# LibreOffice opens the workbook and writes its own format, whose cells have values.

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def office_text(p):
    out = p.text or ""
    for e in p:
        if e.tag == TEXT + "s":
            out += " " * int(e.get(TEXT + "c", 1))
        elif e.tag == TEXT + "tab":
            out += "\t"
        elif e.tag == TEXT + "line-break":
            out += "\n"
        else:
            out += office_text(e)
        out += e.tail or ""
    return out


def office_value(cell, column):
    kind = cell.get(OFFICE + "value-type")
    if kind in ("float", "percentage", "currency"):
        return of_cell(float(cell.get(OFFICE + "value")), column)
    if kind == "boolean":
        return cell.get(OFFICE + "boolean-value")
    if kind == "date":
        day, _, clock = cell.get(OFFICE + "date-value").partition("T")
        if column["type"] == "date":
            return day
        moment = numpy.datetime64(day + "T" + (clock or "00:00:00")).astype("datetime64[ns]").astype(int)
        return of_moment((moment + 500_000) // 10**6 * 1000, column.get("zone"))  # sheets are exact to a millisecond
    if kind == "time":
        hours, minutes, seconds = re.fullmatch(r"PT(\d+)H(\d+)M([\d.]+)S", cell.get(OFFICE + "time-value")).groups()
        return of_micros((int(hours) * 60 + int(minutes)) * 60 * 10**6 + round(float(seconds) * 1000) * 1000)
    if kind == "string":
        return "\n".join(office_text(p) for p in cell.iter(TEXT + "p")) or None
    return None


def read_ods(path, columns):
    rows = []
    with zipfile.ZipFile(path) as z, z.open("content.xml") as f:
        tree = etree.parse(f)
    sheet = next(tree.iter(TABLE + "table"))
    for row in sheet.iter(TABLE + "table-row"):
        cells = []
        for cell in row:
            if cell.tag not in (TABLE + "table-cell", TABLE + "covered-table-cell"):
                continue
            for _ in range(int(cell.get(TABLE + "number-columns-repeated", 1))):
                if len(cells) < len(columns):
                    cells.append(cell)
        for _ in range(min(int(row.get(TABLE + "number-rows-repeated", 1)), 100_000)):
            rows.append(cells)
    return [office_value(c, {"type": "text"}) for c in rows[0]], rows[1:]


def compare_sheets(sheets):
    """sheets: of each the table's name, its columns, the workbook, the values."""
    with tempfile.TemporaryDirectory() as folder:
        for i, (_, _, body, _) in enumerate(sheets):
            with open(os.path.join(folder, "%d.xlsx" % i), "wb") as f:
                f.write(body)
        subprocess.run(
            ["soffice", "--headless", "-env:UserInstallation=file://" + folder + "/profile", "--convert-to", "ods", "--outdir", folder]
            + [os.path.join(folder, "%d.xlsx" % i) for i in range(len(sheets))],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for i, (name, columns, _, want) in enumerate(sheets):
            names, rows = read_ods(os.path.join(folder, "%d.ods" % i), columns)
            count = len(want[0]) if want else 0
            rows = rows[:count] + [[]] * (count - len(rows))  # empty rows at the end are not in the file
            got = [[office_value(r[c], column) if c < len(r) else None for r in rows] for c, column in enumerate(columns)]
            compare(name, "xlsx by LibreOffice", columns, want, names, got, nulls=False, doubles=fifteen_digits)
            figures["sheets by LibreOffice"] += 1


# Comparison.


def differ(text):
    figures["differences"] += 1
    print("DIFFERENCE", text, flush=True)


def compare(name, reader, columns, want, names, got, nulls=True, doubles=str):
    """nulls: the reader tells null from an empty text; doubles: what it keeps of one."""
    figures["readings"] += 1
    if names != [c["name"] for c in columns]:
        return differ("%s %s: columns %r" % (name, reader, names))
    for column, a, b in zip(columns, want, got):
        if len(a) != len(b):
            return differ("%s %s: %d rows, want %d" % (name, reader, len(b), len(a)))
        if not nulls:
            a = [v or None for v in a]
            b = [v or None for v in b]
        if column["type"] == "number":
            a, b = ([v and doubles(v) for v in x] for x in (a, b))
        if column["type"] == "json":
            a, b = ([v if v is None or not isinstance(v, str) or isinstance(v, Number) else plain(v) for v in x] for x in (a, b))
        if a != b:
            i = next(i for i, (x, y) in enumerate(zip(a, b)) if x != y)
            differ("%s %s: row %d, column %r (%s): %.200r, want %.200r" % (name, reader, i + 1, column["name"], column["type"], b[i], a[i]))
        figures["values"] += len(a)


def unsigned_zero(text):
    """openpyxl reads -0 as the integer 0."""
    return "0" if text == "-0" else text


def fifteen_digits(text):
    """LibreOffice writes 15 digits of a double."""
    return text if text in ("NaN", "Infinity", "-Infinity") else "%.15g" % (float(text) + 0.0)


def plain(text):
    try:
        return parse(text)
    except ValueError:
        return text


def check_sums(name, columns, want, body):
    """The sums that Arrow makes of the Parquet file beside those of the texts."""
    table = pyarrow.parquet.read_table(io.BytesIO(body))
    for i, column in enumerate(columns):
        values = [decimal.Decimal(v) for v in want[i] if v is not None] if column["type"] in ("integer", "decimal") else []
        if not values:
            continue
        exact = table.column(i)
        if exact.type != pyarrow.decimal256(76, column.get("scale", 0)):
            exact = exact.cast(pyarrow.decimal128(38, 0) if pyarrow.types.is_integer(exact.type) else exact.type).cast(pyarrow.decimal256(76, column.get("scale", 0)))
        total = pyarrow.compute.sum(exact).as_py()
        if total != sum(values):
            differ("%s: column %r has the sum %s, in Parquet %s" % (name, column["name"], sum(values), total))
        figures["sums"] += 1


def fetch(address):
    with urllib.request.urlopen(address) as f:
        return f.read()


def datasets(base):
    address = base + "/api/v1/datasets?limit=100&sort=title"
    while address:
        page = json.loads(fetch(address))
        yield from page["datasets"]
        address = page.get("next") and urllib.parse.urljoin(base, page["next"])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("address")
    arguments.add_argument("--sheets", type=int, default=0)
    options = arguments.parse_args()
    sheets, spent = [], collections.Counter()
    for dataset in datasets(options.address):
        release = json.loads(fetch("%s/api/v1/datasets/%s/releases/latest" % (options.address, dataset["slug"])))
        for table in release.get("tables") or []:
            name, columns, downloads = dataset["slug"] + "/" + table["name"], table["columns"], table.get("downloads")
            if not downloads:  # not open to all
                figures["closed tables"] += 1
                continue
            figures["tables"] += 1
            bodies = {f: fetch(urllib.parse.quote(a, safe=":/%?&=")) for f, a in downloads.items()}
            figures["bytes"] += sum(map(len, bodies.values()))
            _, want = read_ndjson(bodies["ndjson"], columns)
            if want and len(want[0]) != table["rows"] or not want and columns:
                differ("%s: NDJSON has %s rows, the release says %d" % (name, len(want[0]) if want else "no", table["rows"]))
                continue
            figures["rows"] += table["rows"]
            for fmt, body in bodies.items():
                began = time.monotonic()
                try:
                    names, got = read_plain(body, columns, fmt)
                    compare(name, fmt, columns, want, names, got, nulls=fmt not in ("csv", "tsv", "xlsx"), doubles=unsigned_zero if fmt == "xlsx" else str)
                    if fmt in ("csv", "tsv"):
                        names, got = read_csv_arrow(body, columns, {"csv": ",", "tsv": "\t"}[fmt])
                        compare(name, fmt + " by Arrow", columns, want, names, got, nulls=len(columns) > 1)
                    if fmt == "parquet":
                        check_sums(name, columns, want, body)
                except Exception as e:
                    differ("%s %s: cannot be read: %s: %.300s" % (name, fmt, type(e).__name__, e))
                spent[fmt] += time.monotonic() - began
            if len(sheets) < options.sheets and table["rows"] * len(columns) <= 100_000 and len(columns) <= 200:
                sheets.append((name, columns, bodies["xlsx"], want))
    if sheets:
        compare_sheets(sheets)
    print(json.dumps({**figures, "seconds": {k: round(v, 1) for k, v in spent.items()}}))
    sys.exit(1 if figures["differences"] or not figures["tables"] else 0)


if __name__ == "__main__":
    main()
