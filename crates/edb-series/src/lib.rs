//! Pure kernels on slices: alignment, interpolation, bins, clipping, holding, intervals, rolling windows, gaps and other
//! flaws, downsampling for the screen.
//!
//! Times are microseconds since 1970 UTC, ascending, equal times legal. Kernels return indices or plain numbers and know
//! nothing of files, networks or data frames.

pub mod align;
pub mod bins;
pub mod decimate;
pub mod flaws;
pub mod gaps;
pub mod grid;
pub mod held;
pub mod intervals;
pub mod order;
pub mod rolling;
mod walk;
