//! Serves an archive over the EDB protocol.
