//! What `export` and `stats` share: flags to options.

use edb::frame::{Bins, EmptyBins, FlawOptions, IntervalOptions, Preparation, ResampleOptions};
use edb::{Error, Instant, Result};
use edb_job::{
    PreparationWords, TableShape, parse_borders, parse_clip, parse_layout, parse_limit, parse_stamp,
    parse_statistics, parse_value_limits,
};

use crate::args::{PrepareArgs, StatisticArgs, TableArgs};

/// What is done to series before tables are made of them.
pub(crate) fn preparation(args: &PrepareArgs, tables: &TableArgs, now: Instant) -> Result<Preparation> {
    let table = tables.table.as_deref().unwrap_or_default();
    if !tables.limits.is_empty() && table != "flaws" {
        return Err(Error::usage("limits of values are for flaws, and another table is asked for")
            .with_hint("add `--table flaws`"));
    }
    let has_borders = tables.complete_only || tables.borders != "hold";
    if has_borders && args.condition.is_none() && !["states", "duty"].contains(&table) {
        return Err(Error::usage(
            "`--borders` and `--complete-only` are about states and conditions, and there are none",
        )
        .with_hint("add `--where`, or `--table states`"));
    }
    let words = PreparationWords {
        derive: args.derive.clone(),
        condition: args.condition.clone(),
        pad: args.pad.clone(),
        until_seen: args.until_seen,
        complete_only: tables.complete_only,
        borders: Some(tables.borders.clone()),
        within: args.within.clone(),
        without: args.without.clone(),
        ignore_edges: args.ignore_edges.clone(),
        max_gap: Some(args.max_gap.clone()),
    };
    words.plan(now)
}

/// Statistics of bins.
pub(crate) fn statistics(args: &StatisticArgs, bins: Bins, max_gap: &str) -> Result<ResampleOptions> {
    Ok(ResampleOptions {
        statistics: parse_statistics(&args.statistics)?,
        empty: if args.keep_empty { EmptyBins::Null } else { EmptyBins::Absent },
        layout: parse_layout(&args.layout)?,
        stamp: parse_stamp(&args.stamp)?,
        min_count: args.min_count,
        clip: parse_clip(args.sigma, args.max_iterations)?,
        max_gap: parse_limit(max_gap)?,
        ..ResampleOptions::new(bins)
    })
}

/// Tables that are neither aligned nor resampled: every sample, unless another one is named.
pub(crate) fn other(args: &TableArgs, prepare: &PrepareArgs) -> Result<TableShape> {
    let max_gap = parse_limit(&prepare.max_gap)?;
    let word = args.table.as_deref().unwrap_or("samples");
    let intervals = IntervalOptions {
        borders: parse_borders(&args.borders)?,
        max_gap,
        complete_only: args.complete_only,
    };
    let flaws = FlawOptions {
        max_gap,
        limits: args.limits.iter().map(|text| parse_value_limits(text)).collect::<Result<Vec<_>>>()?,
        ..FlawOptions::default()
    };
    TableShape::parse(word, intervals, flaws)
}
