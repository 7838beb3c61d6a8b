//! Writes a table to a file format with units and provenance, atomically.
