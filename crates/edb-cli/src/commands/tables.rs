//! What `export` and `stats` share: flags to options.

use edb::frame::{
    Bins, Condition, Definition, EmptyBins, FlawOptions, IntervalOptions, Preparation, ResampleOptions,
};
use edb::{Error, Instant, Result, export};
use edb_job::{
    TableShape, parse_borders, parse_clip, parse_edges, parse_layout, parse_limit, parse_pad, parse_stamp,
    parse_statistics, parse_value_limits,
};

use crate::args::{PrepareArgs, StatisticArgs, TableArgs};

/// What is done to series before tables are made of them.
pub(crate) fn preparation(args: &PrepareArgs, tables: &TableArgs, now: Instant) -> Result<Preparation> {
    let limit = parse_limit(&args.max_gap)?;
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
    let condition = match &args.condition {
        Some(text) => {
            let (before_us, after_us) = args.pad.as_deref().map_or(Ok((0, 0)), parse_pad)?;
            Some(Condition {
                before_us,
                after_us,
                limit,
                until_seen: args.until_seen,
                borders: parse_borders(&tables.borders)?,
                complete_only: tables.complete_only,
                ..Condition::parse(text)?
            })
        }
        None => None,
    };
    let list = |path: &std::path::PathBuf| export::read_intervals(path, now);
    Ok(Preparation {
        derive: args.derive.iter().map(|text| Definition::parse(text)).collect::<Result<Vec<_>>>()?,
        limit,
        condition,
        within: args.within.as_ref().map(list).transpose()?,
        without: args.without.as_ref().map(list).transpose()?,
        edges: args.ignore_edges.as_deref().map_or(Ok((0, 0)), parse_edges)?,
    })
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
