//! The binary edb: parses arguments, calls the library, data to stdout, everything else to stderr.
fn main() {}
