//! What `export` and `stats` share: flags to options, and tables on stdout.

use edb::frame::{
    Bins, Condition, Definition, EmptyBins, FlawOptions, IntervalOptions, Preparation, ResampleOptions, Table,
};
use edb::{Error, Instant, Result, export};
use edb_job::{
    Job, TableShape, parse_borders, parse_clip, parse_edges, parse_layout, parse_limit, parse_pad,
    parse_stamp, parse_statistics, parse_value_limits,
};

use crate::args::{Common, PrepareArgs, StatisticArgs, TableArgs};
use crate::progress::Display;
use crate::{output, source, summary};

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

/// The form of a table on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For pipes.
    Csv,
    /// For people.
    Text,
}

/// Makes the one table of a job, and prints it.
pub(crate) async fn show(common: &Common, job: &Job, now: Instant, form: Form) -> Result<u8> {
    let archive = source::archive(common, None, None, &job.change_only).await?;
    if common.dry_run {
        return super::plan(common, job, &archive, now).await;
    }
    let mut display = Display::new(common, archive.source());
    let report = edb_job::run(job, &archive, now, |event| display.show(&event)).await;
    display.finish();
    let report = report?;
    if let Some(cause) = &report.cause {
        output::say_error(cause);
        return Ok(report.exit_code);
    }
    if !common.words.quiet {
        report.notices.iter().for_each(|notice| output::say(&format!("notice: {notice}")));
    }
    for table in &report.shown {
        let mut bytes = Vec::new();
        match form {
            Form::Csv => export::write(table, export::Format::Csv, &mut bytes)?,
            Form::Text => bytes = text(table)?.into_bytes(),
        }
        output::data(&bytes)?;
    }
    summary::failures(&report.failures).iter().for_each(|line| output::say(line));
    Ok(report.exit_code)
}

/// A table with columns of even width.
fn text(table: &Table) -> Result<String> {
    let rows = export::words(table)?;
    let widths: Vec<usize> = (0..table.columns().len())
        .map(|at| rows.iter().map(|row| row[at].0.chars().count()).max().unwrap_or_default())
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((word, is_number), width) in row.iter().zip(&widths) {
            let pad = " ".repeat(width - word.chars().count());
            let (before, after) = if *is_number { (pad.as_str(), "") } else { ("", pad.as_str()) };
            line.extend([before, word, after, "  "]);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Ok(text)
}
