"""Copies the bench table with dlt: dlt-copy.py pg|mysql|csv SOURCE TARGET WORK-FOLDER."""

import sys

import dlt
import pyarrow
import pyarrow.csv
from dlt.sources.sql_database import sql_table

BATCH_ROWS = 100_000


def from_database(kind, uri):
    dialects = {"pg": ("postgresql://", "postgresql+psycopg2://", "bench"), "mysql": ("mysql://", "mysql+pymysql://", None)}
    scheme, dialect, schema = dialects[kind]
    return sql_table(
        credentials=uri.replace(scheme, dialect),
        table="t",
        schema=schema,
        backend="connectorx",
        chunk_size=BATCH_ROWS,
        backend_kwargs={"conn": uri, "return_type": "arrow_stream"},
    )


def from_csv(path):
    options = pyarrow.csv.ConvertOptions(
        column_types={
            "id": pyarrow.int64(),
            "name": pyarrow.string(),
            "amount": pyarrow.decimal128(12, 2),
            "flag": pyarrow.bool_(),
            "d": pyarrow.date32(),
            "ts": pyarrow.timestamp("us"),
            "score": pyarrow.float64(),
            "note": pyarrow.string(),
        },
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )

    @dlt.resource(name="t")
    def rows():
        for batch in pyarrow.csv.open_csv(path, convert_options=options):
            yield pyarrow.Table.from_batches([batch])

    return rows


kind, source, target, work = sys.argv[1:5]
pipeline = dlt.pipeline(
    "headrace_bench",
    destination=dlt.destinations.postgres(target),
    dataset_name="peer",
    pipelines_dir=work,
)
resource = from_csv(source) if kind == "csv" else from_database(kind, source)
pipeline.run(resource, write_disposition="append", loader_file_format="parquet").raise_on_failed_jobs()
