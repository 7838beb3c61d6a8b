//! `edb export`.

use std::path::Path;

use edb::frame::{self, AlignOptions, EmptyBins, ResampleOptions, Times};
use edb::{Error, Result, export, plot};
use edb_job::{Output, Shape, parse_layout, parse_limit, parse_method, parse_statistics, parse_times};

use crate::args::{Common, ExportArgs, SummaryForm};
use crate::progress::Display;
use crate::{output, source, summary};

/// What tables of an export are made of.
enum Table {
    Long,
    Aligned(AlignOptions),
    Resampled(ResampleOptions),
}

pub(crate) async fn run(common: &Common, args: ExportArgs) -> Result<u8> {
    let now = source::now();
    let mut job = super::job("export", &args.selection, now)?;
    let table = table(&args)?;
    if args.output.is_empty() {
        if common.words.summary == SummaryForm::Json {
            return Err(Error::usage("both the table and the JSON summary would go to stdout")
                .with_hint("name a file with `-o`"));
        }
        return to_stdout(common, &job, &table, now).await;
    }
    for path in args.output {
        job.outputs.push(planned(&path, &table)?);
    }
    super::run_job(common, &job, now).await
}

fn table(args: &ExportArgs) -> Result<Table> {
    let origin = args.origin.as_deref();
    if let Some(times) = &args.align {
        let max_age = args.max_age.as_deref().ok_or_else(|| {
            Error::usage("no limit is given for how old a sample may be that stands for another time")
                .with_hint("add `--max-age`, as in `--max-age 10s`, or type out `--max-age unlimited`")
        })?;
        return Ok(Table::Aligned(AlignOptions {
            times: parse_times(times, origin)?,
            method: parse_method(&args.method)?,
            limit: parse_limit(max_age)?,
        }));
    }
    let Some(step) = &args.resample else { return Ok(Table::Long) };
    let Times::Grid { step_us, origin_us } = parse_times(step, origin)? else {
        return Err(Error::usage(format!("could not resample to `{step}`: expected a width as `1m`")));
    };
    Ok(Table::Resampled(ResampleOptions {
        step_us,
        origin_us,
        statistics: parse_statistics(&args.statistics)?,
        empty: if args.keep_empty { EmptyBins::Null } else { EmptyBins::Absent },
        layout: parse_layout(&args.layout)?,
    }))
}

fn planned(path: &Path, table: &Table) -> Result<Output> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let shape = match (plot::Format::from_extension(&extension), table) {
        (Some(_), Table::Aligned(_) | Table::Resampled(_)) => {
            let message =
                format!("could not plan `{}`: a figure shows the samples themselves", path.display());
            return Err(Error::usage(message)
                .with_hint("draw it with `edb plot`; `--align` and `--resample` are for tables"));
        }
        (Some(format), Table::Long) => Shape::Figure(Box::default(), format),
        (None, Table::Long) => Shape::Long(export::Format::from_path(path)?),
        (None, Table::Aligned(options)) => Shape::Aligned(options.clone(), export::Format::from_path(path)?),
        (None, Table::Resampled(options)) => {
            Shape::Resampled(options.clone(), export::Format::from_path(path)?)
        }
    };
    Ok(Output { path: path.to_owned(), shape })
}

/// CSV on stdout, for pipes.
async fn to_stdout(common: &Common, job: &edb_job::Job, table: &Table, now: edb::Instant) -> Result<u8> {
    let archive = source::archive(common, None, None, &job.change_only).await?;
    if common.dry_run {
        return super::plan(common, job, &archive, now).await;
    }
    let resolved = job.resolve(&archive, now).await?;
    let mut display = Display::new(common, archive.source());
    let retrieved = archive.retrieve(&resolved.requests, now, |event| display.show(&event)).await;
    display.finish();
    let mut retrieved = retrieved?.or_cause()?;
    retrieved.notices.splice(0..0, resolved.notices);
    let mut table = match table {
        Table::Long => edb_job::long(&retrieved, &resolved.exposures)?,
        Table::Aligned(options) => frame::align(&retrieved.series, options)?,
        Table::Resampled(options) => frame::resample(&retrieved.series, options)?,
    };
    table.made.splice(0..0, edb_job::provenance(&retrieved, &resolved.exposures));
    if !common.words.quiet {
        table
            .notices
            .iter()
            .chain(&retrieved.notices)
            .for_each(|notice| output::say(&format!("notice: {notice}")));
    }
    table.notices.append(&mut retrieved.notices);
    let mut bytes = Vec::new();
    export::write(&table, export::Format::Csv, &mut bytes)?;
    output::data(&bytes)?;
    summary::failures(&edb_job::failures(&retrieved.failures)).iter().for_each(|line| output::say(line));
    Ok(retrieved.exit_code())
}
