//! `edb plot`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use edb::frame::Preparation;
use edb::plot::Format;
use edb::{Error, Result};
use edb_job::{Destination, FigureWords, LimitWords, Output, PanelWords, Shape, parse_range};

use crate::args::{Common, PlotArgs};
use crate::source;

pub(crate) async fn run(common: &Common, args: PlotArgs) -> Result<u8> {
    let now = source::now();
    let mut job = super::job("plot", &args.selection, now)?;
    let described = match (&args.figure, &args.monitor) {
        (Some(path), _) => FigureWords::from_file(path)?,
        (None, Some(path)) => FigureWords::from_monitor(path, &args.entry)?,
        (None, None) => FigureWords::default(),
    };
    let words = words(&args)?.or(described);
    let usual = [PathBuf::from("edb.png")];
    for path in if args.output.is_empty() { &usual } else { args.output.as_slice() } {
        let figure = words.clone().plan(format(path)?, now)?;
        job.outputs.push(Output {
            destination: Destination::File(path.clone()),
            preparation: Preparation::default(),
            shape: Shape::Figure(Box::new(figure)),
        });
    }
    super::run_job(common, &job, now).await
}

fn format(path: &Path) -> Result<Format> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Format::from_extension(&extension).ok_or_else(|| {
        Error::usage(format!("could not tell the figure format of `{}`", path.display()))
            .with_hint("end the name in `.png`, `.svg` or `.html`")
    })
}

/// What the flags say.
fn words(args: &PlotArgs) -> Result<FigureWords> {
    let (looks, prepare) = (&args.looks, &args.prepare);
    let usual = PanelWords {
        show: args.show.clone(),
        by: args.by.clone(),
        log: args.log.then_some(true),
        resample: args.resample.clone(),
        origin: args.origin.clone(),
        line: args.line.clone(),
        envelope: args.envelope.clone(),
        samples: args.samples.then_some(true),
        limits: limits(args)?,
        derive: prepare.derive.clone(),
        condition: prepare.condition.clone(),
        pad: prepare.pad.clone(),
        until_seen: prepare.until_seen.then_some(true),
        within: prepare.within.clone(),
        without: prepare.without.clone(),
        ignore_edges: prepare.ignore_edges.clone(),
        max_gap: Some(prepare.max_gap.clone()).filter(|text| text != "learned"),
        ..PanelWords::default()
    };
    Ok(FigureWords {
        title: looks.title.clone(),
        width: looks.width,
        height: looks.height,
        dpi: looks.dpi,
        theme: looks.theme.clone(),
        clock: looks.clock.clone(),
        downsample: looks.downsample.clone(),
        page_points: looks.page_points,
        usual,
        panel: Vec::new(),
    })
}

fn limits(args: &PlotArgs) -> Result<BTreeMap<String, LimitWords>> {
    let mut all: BTreeMap<String, LimitWords> = BTreeMap::new();
    let named = |text: &str| match text.split_once('=') {
        Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
        None => ("all".to_owned(), text.trim().to_owned()),
    };
    for text in &args.nominal {
        let (name, value) = named(text);
        let value = value.parse().map_err(|_| {
            Error::usage(format!("could not read the nominal value `{text}`"))
                .with_hint("write `28`, or `SE_ZBUSVLT=28`")
        })?;
        all.entry(name).or_default().nominal = Some(value);
    }
    for text in &args.yellow {
        let (name, value) = named(text);
        all.entry(name).or_default().yellow = Some(parse_range(&value)?);
    }
    for text in &args.red {
        let (name, value) = named(text);
        all.entry(name).or_default().red = Some(parse_range(&value)?);
    }
    Ok(all)
}
