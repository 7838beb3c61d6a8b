//! `edb export`.

use std::path::Path;

use edb::frame::{AlignOptions, Beside, Bins};
use edb::{Error, Result, export, plot};
use edb_job::{
    Output, Shape, TableShape, parse_beside, parse_exception, parse_grid, parse_limit, parse_method,
    parse_times,
};

use super::tables;
use crate::args::{Common, ExportArgs, SummaryForm};
use crate::source;

pub(crate) async fn run(common: &Common, args: ExportArgs) -> Result<u8> {
    let now = source::now();
    let mut job = super::job("export", &args.selection, now)?;
    let preparation = tables::preparation(&args.prepare, &args.tables, now)?;
    let table = table(&args)?;
    if args.output.is_empty() {
        if common.words.summary == SummaryForm::Json {
            return Err(Error::usage("both the table and the JSON summary would go to stdout")
                .with_hint("name a file with `-o`"));
        }
        job.outputs.push(Output { path: None, preparation, shape: Shape::Table(table, export::Format::Csv) });
        return tables::show(common, &job, now, tables::Form::Csv).await;
    }
    for path in &args.output {
        job.outputs.push(Output {
            path: Some(path.clone()),
            preparation: preparation.clone(),
            shape: planned(path, &table)?,
        });
    }
    super::run_job(common, &job, now).await
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

fn planned(path: &Path, table: &TableShape) -> Result<Shape> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Ok(match (plot::Format::from_extension(&extension), table) {
        (Some(format), TableShape::Long) => Shape::Figure(Box::default(), format),
        (Some(_), _) => {
            let message =
                format!("could not plan `{}`: a figure shows the samples themselves", path.display());
            return Err(Error::usage(message)
                .with_hint("draw it with `edb plot`; `--align`, `--resample` and `--table` are for tables"));
        }
        (None, table) => Shape::Table(table.clone(), export::Format::from_path(path)?),
    })
}
