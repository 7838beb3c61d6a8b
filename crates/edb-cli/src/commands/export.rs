//! `edb export`.

use edb::frame::{AlignOptions, Beside, Bins};
use edb::{Error, Result};
use edb_job::{
    TableShape, parse_beside, parse_exception, parse_grid, parse_limit, parse_method, parse_times,
};

use super::{files, tables};
use crate::args::{Common, ExportArgs};
use crate::source;

pub(crate) async fn run(common: &Common, args: ExportArgs) -> Result<u8> {
    let now = source::now();
    let mut job = super::job("export", &args.selection, now)?;
    let preparation = tables::preparation(&args.prepare, &args.tables, now)?;
    let table = table(&args)?;
    files::plan(&mut job, &args.files, &table, &preparation, files::Otherwise::Csv)?;
    files::run(common, &job, now).await
}

fn table(args: &ExportArgs) -> Result<TableShape> {
    let origin = args.statistics.origin.as_deref();
    if let Some(flag) = args.statistics.first_given().filter(|_| args.resample.is_none()) {
        return Err(Error::usage(format!("`{flag}` is about bins, and no bins are given"))
            .with_hint("add `--resample`, as in `--resample 1m`, or use `edb stats`"));
    }
    if origin.is_some() && args.align.is_none() && args.resample.is_none() {
        return Err(Error::usage("`--origin` is about grids and bins, and there are none")
            .with_hint("add `--align` or `--resample`"));
    }
    if let Some(times) = &args.align {
        let max_age = args.max_age.as_deref().ok_or_else(|| {
            Error::usage("no limit is given for how old a sample may be that stands for another time")
                .with_hint("add `--max-age`, as in `--max-age 10s`, or type out `--max-age unlimited`")
        })?;
        let exceptions =
            args.method_of.iter().map(|text| parse_exception(text)).collect::<Result<Vec<_>>>()?;
        let beside = args.beside.as_deref().map_or(Ok(Beside::Nothing), parse_beside)?;
        let options = AlignOptions::new(
            parse_times(times, origin)?,
            parse_method(&args.method)?,
            parse_limit(max_age)?,
        );
        return Ok(TableShape::Aligned(AlignOptions { exceptions, beside, ..options }));
    }
    if let Some(step) = &args.resample {
        let bins = Bins::Grid(parse_grid(step, origin)?);
        return tables::statistics(&args.statistics, bins, &args.prepare.max_gap).map(TableShape::Resampled);
    }
    tables::other(&args.tables, &args.prepare)
}
