//! The Polars layer: series in, tables out; aligned, resampled, summarised.
//!
//! **Does**: put many series into one [`Table`], which is a Polars data frame together with what its columns mean.
//! **Does not**: invent a sample. A cell without a sample that may stand for it is null: one too old or too far for the
//! stated limit, one beyond a span that is not known, one outside the range asked for its mnemonic.
//!
//! Start here: [`long`] (every sample a row), [`align`] (one row a time, one column a mnemonic), [`resample`] (one row a
//! bin).

mod align;
mod bin;
mod columns;
mod long;
mod parts;
mod resample;
mod statistic;
mod table;

pub use align::{AlignOptions, Beside, Limit, Method, Times, align};
pub use edb_series::grid::Grid;
pub use edb_series::order::{Clip, Quantile};
pub use long::long;
pub use parts::sampling;
pub use resample::{Bins, EmptyBins, Layout, ResampleOptions, Resampler, Stamp, resample};
pub use statistic::Statistic;
pub use table::{ColumnAbout, Table};

/// The words of Polars that this crate speaks: what a [`Table`] is made of, and what a series can be read from.
pub mod polars {
    pub use polars::prelude::{Column, DataFrame, PolarsError};
}
