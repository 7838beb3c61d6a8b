//! Draws series with gaps, limits and states as PNG, SVG or one self-contained HTML page.
//!
//! **Does**: choose panels, axes and ticks; break lines where samples are missing; keep every spike; mark what is beyond limits; return
//! the bytes of the file. **Does not**: write files, resample, filter, or take fonts from the system.
//!
//! # Invariants
//! - Nothing is drawn outside a series' own range, and no bracket is ever drawn as a sample.
//! - A line never crosses a gap, an unknown span or a missing value that is as wide as a pixel; on a page, no gap and no unknown span.
//! - The same input gives the same bytes.
//!
//! Start at [`draw`]: [`arrange`] makes its charts of series. [`draw_coverage`] shows what is known rather than what was measured.

mod bins;
mod deviation;
mod draw;
mod figure;
mod font;
mod histogram;
mod page;
mod palette;
mod panel;
mod phase;
mod png;
mod raster;
mod scene;
mod states;
mod svg;
mod time_axis;
mod timeline;
mod trace;
mod track;
mod value_axis;

pub use figure::{Decimation, FigureOptions, Format, draw};
pub use palette::Theme;
pub use time_axis::Clock;
pub use timeline::{CoverageRow, draw_coverage};
pub use trace::{Bins, Chart, ChartKind, Grouping, Limits, Trace, arrange};
