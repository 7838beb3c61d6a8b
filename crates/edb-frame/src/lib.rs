//! The Polars layer: series in, tables out; aligned, resampled, summarised.
//!
//! **Does**: put many series into one [`Table`], which is a Polars data frame together with what its columns mean.
//! **Does not**: invent a sample. A cell without a sample that may stand for it is null: one too old or too far for the
//! stated limit, one beyond a span that is not known, one outside the range asked for its mnemonic.
//!
//! Start here: [`long`] (every sample a row), [`align`] (one row a time, one column a mnemonic), [`resample`] (one row a
//! bin).

mod align;
mod columns;
mod long;
mod resample;
mod table;

pub use align::{AlignOptions, Limit, Method, Times, align};
pub use long::long;
pub use resample::{EmptyBins, Layout, ResampleOptions, Statistic, resample};
pub use table::{ColumnAbout, Table};
