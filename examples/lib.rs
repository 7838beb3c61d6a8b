//! Examples: one file a task, each runs offline. `cargo run -p edb-examples --example align_two_mnemonics`
