//! Reads job files, runs them, and writes down what happened.
//!
//! A [`Job`] says what to select and what to make of it; [`Job::from_toml`] reads it from a file, and the binary's `export`
//! and `plot` make one of their flags, so that there is one way to run all three ([`run`]). A [`Report`] says what happened.

mod destination;
mod draw;
mod figure;
mod figure_file;
mod file;
mod job;
mod make;
mod manifest;
mod monitor;
mod preparation;
mod report;
mod run;
mod service_csv;
mod stream;
mod tally;
mod words;

pub use destination::{Destination, Stream};
pub use figure::{BinPlan, Envelope, Figure, PanelPlan};
pub use figure_file::{FigureWords, LimitWords, PanelWords};
pub use job::{Job, Output, Resolved, Shape, TableShape};
pub use preparation::PreparationWords;
pub use report::{
    DeliveredReport, ExposureReport, FailureReport, FileReport, PartReport, Report, SeriesReport,
};
pub use run::{delivered, failures, run};
pub use words::{
    Dialect, file_shape, parse_beside, parse_bins, parse_borders, parse_clip, parse_dialect, parse_edges,
    parse_exception, parse_grid, parse_layout, parse_limit, parse_method, parse_pad, parse_range,
    parse_stamp, parse_statistics, parse_times, parse_value_limits,
};
