"""Embeddings by content hash: a text that was encoded once is never encoded again with the same encoder."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recommender.store.database import Database


class Vectors:
    """Float32 unit vectors, keyed by encoder id and content hash."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made: set[int] = set()

    def known(self, encoder_id: str, dim: int, hashes: Sequence[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Return stored vectors of one encoder by content hash, each of shape ``(dim,)``: all, or those of `hashes`."""
        self._make_table(dim)
        with self._database.reading() as cursor:
            found = cursor.sql(
                # The length is part of DuckDB's vector type, so of the table's name; it is a number, not a text.
                f"SELECT content_hash, vector FROM embeddings_{dim:d} WHERE encoder_id = $1 "  # noqa: S608
                "AND ($2::TEXT[] IS NULL OR content_hash IN (SELECT unnest($2::TEXT[])))",
                params=[encoder_id, None if hashes is None else list(hashes)],
            ).to_arrow_table()
        if not found.num_rows:
            return {}
        matrix = found["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
        return dict(zip(found["content_hash"].to_pylist(), matrix.astype(np.float32), strict=True))

    def put(self, encoder_id: str, hashes: Sequence[str], matrix: NDArray[np.float32]) -> None:
        """Store new vectors, `matrix` of shape ``(len(hashes), dim)``."""
        if not hashes:
            return
        dim = matrix.shape[1]
        self._make_table(dim)
        table = pa.table(
            {
                "encoder_id": pa.array([encoder_id] * len(hashes)),
                "content_hash": pa.array(list(hashes)),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel(), pa.float32()), dim),
            }
        )
        with self._database.writing() as cursor:
            cursor.register("incoming", table)
            cursor.execute(f"INSERT OR IGNORE INTO embeddings_{dim:d} BY NAME SELECT * FROM incoming")  # noqa: S608
            cursor.unregister("incoming")

    def _make_table(self, dim: int) -> None:
        if dim in self._made:
            return
        with self._database.writing() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS embeddings_{dim:d} (encoder_id TEXT NOT NULL, content_hash TEXT NOT NULL, "
                f"vector FLOAT[{dim:d}] NOT NULL, PRIMARY KEY (encoder_id, content_hash))"
            )
        self._made.add(dim)
