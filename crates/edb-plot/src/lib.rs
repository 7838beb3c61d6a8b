//! Draws series with gaps, limits and states as PNG or SVG.
//!
//! **Does**: choose panels, axes and ticks; break lines where samples are missing; keep every spike; return the bytes of the
//! file. **Does not**: write files, interpolate, average, or take fonts from the system.
//!
//! # Invariants
//! - Nothing is drawn outside a series' own range, and no bracket is ever drawn as a sample.
//! - A line never crosses a gap, an unknown span or a missing value that is as wide as a pixel.
//! - The same input gives the same bytes.
//!
//! Start at [`draw`]; [`draw_coverage`] shows what is known rather than what was measured.

mod draw;
mod figure;
mod font;
mod palette;
mod panel;
mod png;
mod raster;
mod scene;
mod svg;
mod time_axis;
mod timeline;
mod track;
mod value_axis;

pub use figure::{FigureOptions, Format, draw};
pub use timeline::{CoverageRow, draw_coverage};
