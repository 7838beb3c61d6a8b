//! `edb plot`.

use edb::frame::Preparation;
use edb::plot::{FigureOptions, Format};
use edb::{Error, Result};
use edb_job::{Destination, Output, Shape};

use crate::args::{Common, PlotArgs};
use crate::source;

pub(crate) async fn run(common: &Common, args: PlotArgs) -> Result<u8> {
    let now = source::now();
    let mut job = super::job("plot", &args.selection, now)?;
    let extension = args.output.extension().unwrap_or_default().to_string_lossy();
    let format = Format::from_extension(&extension).ok_or_else(|| {
        Error::usage(format!("could not tell the figure format of `{}`", args.output.display()))
            .with_hint("end the name in `.png` or `.svg`")
    })?;
    let mut options = FigureOptions::default();
    options.title = args.title;
    options.width = args.width;
    options.height = args.height;
    let shape = Shape::Figure(Box::new(options), format);
    job.outputs.push(Output {
        destination: Destination::File(args.output),
        preparation: Preparation::default(),
        shape,
    });
    super::run_job(common, &job, now).await
}
