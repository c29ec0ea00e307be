"""Parquet files as pyarrow writes them: tables from CSV, and columns of many types.

python3 parquet_files.py tables FOLDER    each FOLDER/*.csv becomes a Parquet file of the same name, by turns in other ways
python3 parquet_files.py types FOLDER     FOLDER/types-*.parquet hold the same rows
python3 parquet_files.py refused FOLDER   FOLDER/*.parquet hold what cannot be read
"""

import datetime as dt
import decimal
import pathlib
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

WAYS = [
    {},
    {"compression": "none", "use_dictionary": False},
    {"compression": "gzip", "data_page_version": "2.0", "row_group_size": 50},
    {"compression": "zstd", "use_dictionary": False, "data_page_version": "2.0", "data_page_size": 512},
    {"compression": "brotli", "version": "1.0", "row_group_size": 33},
    {"compression": "zstd", "use_dictionary": False, "use_byte_stream_split": True},
]


def write(table, path, **way):
    if way.pop("use_byte_stream_split", False):
        floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
        whole = [field.name for field in table.schema if pa.types.is_integer(field.type)]
        way["column_encoding"] = {
            **{name: "BYTE_STREAM_SPLIT" for name in floats},
            **{name: "DELTA_BINARY_PACKED" for name in whole},
        }
    pq.write_table(table, path, **way)


def tables(folder):
    missing = pyarrow.csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    for number, path in enumerate(sorted(folder.glob("*.csv"))):
        table = pyarrow.csv.read_csv(path, convert_options=missing)
        write(table, path.with_suffix(".parquet"), **WAYS[number % len(WAYS)])


def types(folder):
    utc, noon = dt.timezone.utc, dt.datetime(2025, 7, 1, 12, 30, 15, 250_000)
    columns = {
        "w": pa.array([1, 2, 3], pa.int64()),
        "text": pa.array(["Tiền Giang", None, " có khoảng trắng "]),
        "large_text": pa.array(["a", "b", None], pa.large_string()),
        "dictionary": pa.array(["nam", "nữ", None]).dictionary_encode(),
        "bytes": pa.array([b"x", None, b"y"], pa.binary()),
        "empty_text": pa.array(["", "NA", "c"]),
        "truth": pa.array([True, False, None]),
        "small": pa.array([-128, None, 127], pa.int8()),
        "unsigned_small": pa.array([255, 0, None], pa.uint8()),
        "unsigned": pa.array([2**32 - 1, None, 1], pa.uint32()),
        "unsigned_large": pa.array([2**64 - 1, None, 1], pa.uint64()),
        "large": pa.array([-(2**63), None, 2**63 - 1], pa.int64()),
        "single": pa.array([0.1, None, 2.0], pa.float32()),
        "double": pa.array([0.1, float("nan"), 1e300], pa.float64()),
        "decimal": pa.array([decimal.Decimal("-0.05"), None, decimal.Decimal("123.40")], pa.decimal128(9, 2)),
        "long_decimal": pa.array([decimal.Decimal("12345678901234567890.5"), None, None], pa.decimal128(38, 1)),
        "date": pa.array([dt.date(2025, 7, 1), dt.date(1969, 12, 31), None]),
        "time": pa.array([dt.time(12, 30, 15), None, dt.time(0)], pa.time32("ms")),
        "local": pa.array([noon, None, None], pa.timestamp("us")),
        "universal": pa.array([noon.replace(tzinfo=utc), None, None], pa.timestamp("ms", tz="UTC")),
        "nothing": pa.nulls(3),
        "members": pa.array([[1, 2], [], None], pa.list_(pa.int64())),
        "household": pa.array([{"size": 3}, None, {"size": 1}]),
    }
    table = pa.table(columns)
    for number, way in enumerate(WAYS):
        write(table, folder / f"types-{number}.parquet", **way)
    old = table.select(["w", "local"])
    write(old, folder / "old.parquet", use_deprecated_int96_timestamps=True)
    required = pa.schema([pa.field("w", pa.int64(), nullable=False)])
    write(pa.table([columns["w"]], schema=required), folder / "required.parquet")


def refused(folder):
    table = pa.table({"w": [1, 2], "text": ["a", "b"]})
    write(table, folder / "lz4.parquet", compression="lz4")
    strings = {"text": "DELTA_BYTE_ARRAY"}
    write(table, folder / "delta.parquet", use_dictionary=False, column_encoding=strings)
    write(pa.table({"w": [1], "text": [b"\xff"]}), folder / "bytes.parquet")
    write(pa.table({"w": pa.array([], pa.int64())}), folder / "empty.parquet")
    write(pa.table([[1], [2]], names=["w", "w"]), folder / "twice.parquet")
    # More cells, and more bytes when unpacked, than a CSV file could have; each in a small file.
    cells = pa.nulls(70_000, pa.int8())
    write(pa.table([cells] * 2_000, names=[f"c{number}" for number in range(2_000)]), folder / "cells.parquet")
    text = pa.array(["x" * 1_000_000]).take(pa.array([0] * 280))
    write(pa.table({"w": text}), folder / "unpacked.parquet", use_dictionary=False, compression="snappy")


{"tables": tables, "types": types, "refused": refused}[sys.argv[1]](pathlib.Path(sys.argv[2]))
