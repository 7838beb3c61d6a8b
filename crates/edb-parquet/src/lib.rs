//! Writes plain columns as Parquet and reads them back: the code edb-store and edb-export share.
