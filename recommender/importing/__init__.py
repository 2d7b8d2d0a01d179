"""The import of people from files: CSV, XLSX, JSONL and Parquet become juniors or seniors, with a report."""

from recommender.importing.people import FileNote, ImportReport, Kind, RowNote, read_people, write_refused

__all__ = ["FileNote", "ImportReport", "Kind", "RowNote", "read_people", "write_refused"]
