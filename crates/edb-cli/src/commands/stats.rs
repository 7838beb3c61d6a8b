//! `edb stats`.

use std::io::IsTerminal;

use edb::{Error, Result};
use edb_job::{TableShape, parse_bins};

use super::{files, tables};
use crate::args::{Common, StatsArgs};
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
    let otherwise =
        if std::io::stdout().is_terminal() { files::Otherwise::Words } else { files::Otherwise::Csv };
    files::plan(&mut job, &args.files, &table, &preparation, otherwise)?;
    files::run(common, &job, now).await
}
