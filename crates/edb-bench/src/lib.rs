//! Dev only: what the benchmarks measure with, and what they measure. Each binary measures one thing; dated raw runs lie in
//! `runs/`.

pub mod days;
pub mod housekeeping;
mod meter;
mod random;
mod workload;

pub use meter::{Meter, cpu_seconds, memory_bytes, process_cpu_seconds};
pub use random::Random;
pub use workload::Workload;
