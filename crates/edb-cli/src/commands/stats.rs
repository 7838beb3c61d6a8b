//! `edb stats`.

use std::io::IsTerminal;

use edb::{Error, Result, export};
use edb_job::{Output, Shape, TableShape, parse_bins};

use super::tables;
use crate::args::{Common, StatsArgs, SummaryForm};
use crate::source;

pub(crate) async fn run(common: &Common, args: StatsArgs) -> Result<u8> {
    let now = source::now();
    let mut job = super::job("stats", &args.selection, now)?;
    let preparation = tables::preparation(&args.prepare, &args.tables, now)?;
    let table = if args.tables.table.is_some() {
        let origin = args.statistics.origin.as_ref().map(|_| "--origin");
        if let Some(flag) = args.statistics.first_given().or(origin) {
            return Err(Error::usage(format!(
                "`{flag}` is about statistics, and another table is asked for"
            ))
            .with_hint("leave `--table` out, or the flag"));
        }
        tables::other(&args.tables, &args.prepare)?
    } else {
        let bins = parse_bins(&args.by, args.statistics.origin.as_deref())?;
        if args.by == "block" && preparation.is_empty() {
            return Err(Error::usage("blocks of what? nothing is left out")
                .with_hint("add `--where`, `--within` or `--without`"));
        }
        TableShape::Resampled(tables::statistics(&args.statistics, bins, &args.prepare.max_gap)?)
    };
    if args.output.is_empty() {
        if common.words.summary == SummaryForm::Json {
            return Err(Error::usage("both the table and the JSON summary would go to stdout")
                .with_hint("name a file with `-o`"));
        }
        job.outputs.push(Output { path: None, preparation, shape: Shape::Table(table, export::Format::Csv) });
        let form = if std::io::stdout().is_terminal() { tables::Form::Text } else { tables::Form::Csv };
        return tables::show(common, &job, now, form).await;
    }
    for path in args.output {
        let format = export::Format::from_path(&path)?;
        job.outputs.push(Output {
            path: Some(path),
            preparation: preparation.clone(),
            shape: Shape::Table(table.clone(), format),
        });
    }
    super::run_job(common, &job, now).await
}
