//! Where the tables of `export` and `stats` go.

use std::io::{self, IsTerminal};
use std::path::Path;

use edb::export::{self, Format, PartitionKey};
use edb::frame::{Preparation, Table};
use edb::{Error, ErrorKind, Instant, Result, plot};
use edb_job::{Destination, Figure, Job, Output, Shape, Stream, TableShape, file_shape, parse_dialect};

use crate::args::{Common, FileArgs, SummaryForm};
use crate::progress::Display;
use crate::{output, summary};

/// What is done with a table that no file is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// CSV on stdout, for pipes.
    Csv,
    /// Words on stdout, for people.
    Words,
}

/// Adds the outputs that flags name to a job.
pub(crate) fn plan(
    job: &mut Job,
    args: &FileArgs,
    table: &TableShape,
    preparation: &Preparation,
    otherwise: Otherwise,
) -> Result<()> {
    job.manifest.clone_from(&args.manifest);
    parse_dialect(&args.csv_dialect)?;
    if args.manifest.as_deref() == Some(Path::new("-")) {
        return Err(
            Error::usage("a manifest is a file").with_hint("name one; `--summary json` goes to stdout")
        );
    }
    let keys = args.partition.iter().map(|word| PartitionKey::parse(word)).collect::<Result<Vec<_>>>()?;
    let mut add = |destination, shape| {
        // The panels of a figure have it themselves.
        let is_figure = matches!(shape, Shape::Figure(_));
        let preparation = if is_figure { Preparation::default() } else { preparation.clone() };
        job.outputs.push(Output { destination, preparation, shape });
    };
    if args.output.is_empty() {
        if otherwise == Otherwise::Words && args.format.is_none() {
            add(Destination::Shown, shape(args, table, Format::Csv)?);
        } else {
            let (destination, shape) = on_stdout(args, table)?;
            add(destination, shape);
        }
    }
    for path in &args.output {
        let (destination, shape) = match figure(args, path) {
            _ if path == Path::new("-") && keys.is_empty() => on_stdout(args, table)?,
            Some(_) if !keys.is_empty() => {
                return Err(Error::usage("a figure cannot be parted into files")
                    .with_hint("name a folder, or leave `--partition` out"));
            }
            _ if path == Path::new("-") => {
                return Err(Error::usage("what goes to stdout cannot be parted into files")
                    .with_hint("name a folder with `-o`"));
            }
            _ if !keys.is_empty() && args.format.is_none() && Format::from_path(path).is_ok() => {
                let name = path.display();
                return Err(Error::usage(format!("with `--partition`, `{name}` would be a folder"))
                    .with_hint("name a folder, and say the format with `--format` unless it is Parquet"));
            }
            _ if !keys.is_empty() => {
                let format = format(args, Format::Parquet)?;
                (Destination::DataSet(path.clone(), keys.clone()), shape(args, table, format)?)
            }
            Some(format) if matches!(table, TableShape::Long) => {
                let figure = Figure::of_all(format, preparation.clone());
                (Destination::File(path.clone()), Shape::Figure(Box::new(figure)))
            }
            Some(_) => {
                let message =
                    format!("could not plan `{}`: a figure shows the samples themselves", path.display());
                return Err(Error::usage(message).with_hint(
                    "draw it with `edb plot`; `--align`, `--resample` and `--table` are for tables",
                ));
            }
            None => {
                let format = match &args.format {
                    Some(name) => Format::from_name(name)?,
                    None => Format::from_path(path)?,
                };
                (Destination::File(path.clone()), shape(args, table, format)?)
            }
        };
        add(destination, shape);
    }
    Ok(())
}

fn figure(args: &FileArgs, path: &Path) -> Option<plot::Format> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    plot::Format::from_extension(&extension).filter(|_| args.format.is_none())
}

fn format(args: &FileArgs, otherwise: Format) -> Result<Format> {
    args.format.as_ref().map_or(Ok(otherwise), |name| Format::from_name(name))
}

fn shape(args: &FileArgs, table: &TableShape, format: Format) -> Result<Shape> {
    file_shape(table.clone(), format, parse_dialect(&args.csv_dialect)?, args.no_comments.then_some(false))
}

fn on_stdout(args: &FileArgs, table: &TableShape) -> Result<(Destination, Shape)> {
    let format = format(args, Format::Csv)?;
    if !format.is_text() && io::stdout().is_terminal() {
        let name = format.extension();
        return Err(Error::usage(format!("{name} is nothing for a terminal"))
            .with_hint("name a file with `-o`, or send it into a pipe"));
    }
    Ok((
        Destination::Stream(Stream::new(io::stdout(), args.output.len() > 1 || args.manifest.is_some())),
        shape(args, table, format)?,
    ))
}

/// Runs a job whose tables may go to stdout.
pub(crate) async fn run(common: &Common, job: &Job, now: Instant) -> Result<u8> {
    let is_on_stdout =
        |output: &Output| matches!(output.destination, Destination::Stream(_) | Destination::Shown);
    if !job.outputs.iter().any(is_on_stdout) {
        return super::run_job(common, job, now).await;
    }
    if common.words.summary == SummaryForm::Json {
        return Err(Error::usage("both the table and the JSON summary would go to stdout")
            .with_hint("name a file with `-o`, or have what the summary says in a file with `--manifest`"));
    }
    let (job, archive) = &super::open(common, job).await?;
    if common.dry_run {
        return super::plan(common, job, archive, now).await;
    }
    let mut display = Display::new(common, archive.source());
    let report = edb_job::run(job, archive, now, |event| display.show(&event)).await;
    display.finish();
    let report = match report {
        // Whoever was reading has read enough.
        Err(error) if is_broken_pipe(&error) => return Ok(0),
        report => report?,
    };
    if let Some(cause) = &report.cause {
        output::say_error(cause);
        return Ok(report.exit_code);
    }
    if !common.words.quiet {
        report.notices.iter().for_each(|notice| output::say(&format!("notice: {notice}")));
    }
    for table in &report.shown {
        output::data(text(table)?.as_bytes())?;
    }
    summary::failures(&report.failures).iter().for_each(|line| output::say(line));
    Ok(report.exit_code)
}

fn is_broken_pipe(error: &Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return error.kind() == ErrorKind::Disk;
        }
        next = cause.source();
    }
    false
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
