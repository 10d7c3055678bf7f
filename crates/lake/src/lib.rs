//! Parquet tables, SQL, point-in-time training rows.
