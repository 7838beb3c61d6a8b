//! The Polars layer: series in, tables out; aligned, resampled, summarised.
