//! The Polars layer: series in, tables out; aligned, resampled, summarised.
//!
//! **Does**: put many series into one [`Table`], which is a Polars data frame together with what its columns mean.
//! **Does not**: invent a sample. A cell without a sample that may stand for it is null: one too old or too far for the
//! stated limit, one beyond a span that is not known, one outside the range asked for its mnemonic.
//!
//! Start here: [`long`] (every sample a row), [`align`] (one row a time, one column a mnemonic), [`resample`] (one row a
//! bin, range or block), [`Condition`] (samples while something holds), [`derive()`] (quantities made of mnemonics), [`states`] and [`duty`]
//! (how long values stood), [`flaws`] and [`cadences`] (what may be wrong, and how samples come), [`events`] (visits and activities).
//! [`Preparation`] joins what is done to series before tables are made.

mod align;
mod bin;
mod bin_columns;
mod columns;
mod derive;
pub mod events;
mod expression;
mod filter;
mod flaws;
mod from_polars;
mod intervals;
mod long;
mod monitor;
mod parts;
mod preparation;
mod resample;
mod statistic;
mod table;

pub use align::{AlignOptions, Beside, Limit, Method, Times, align};
pub use derive::derive;
pub use edb_series::grid::Grid;
pub use edb_series::order::{Clip, Quantile};
pub use expression::{Definition, Expression};
pub use filter::{Condition, remove, select, trim};
pub use flaws::{FlawOptions, cadences, flaws};
pub use from_polars::series_from;
pub use intervals::{Borders, IntervalOptions, duty, span_table, spans_of, states};
pub use long::long;
pub use monitor::Averaging;
pub use parts::sampling;
pub use preparation::Preparation;
pub use resample::{Bins, EmptyBins, Layout, ResampleOptions, Resampler, Stamp, resample};
pub use statistic::Statistic;
pub use table::{ColumnAbout, Table};

/// The words of Polars that this crate speaks: what a [`Table`] is made of, and what a series can be read from.
pub mod polars {
    pub use polars::prelude::{Column, DataFrame, PolarsError};
}
