//! Across crates: through HTTP, the store, the frame and the binary.

mod sample;
