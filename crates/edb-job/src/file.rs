//! Job files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use edb::frame::{AlignOptions, EmptyBins, Limit, ResampleOptions};
use edb::plot::FigureOptions;
use edb::{
    During, Error, ExposureSearch, Instant, Mnemonic, Result, Selection, Term, TimeRange, export,
    parse_duration, parse_instant, plot,
};
use serde::Deserialize;

use crate::job::{
    Job, Output, Shape, origin_us, parse_layout, parse_method, parse_statistics, parse_times, positive_micros,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    source: Option<String>,
    store: Option<PathBuf>,
    folder: Option<PathBuf>,
    start: Option<String>,
    stop: Option<String>,
    #[serde(default)]
    observations: Vec<String>,
    instrument: Option<String>,
    #[serde(default)]
    products: Vec<PathBuf>,
    margin: Option<String>,
    select: Vec<String>,
    #[serde(default)]
    change_only: Vec<Mnemonic>,
    output: Vec<OutputTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputTable {
    file: PathBuf,
    format: Option<String>,
    align: Option<AlignTable>,
    resample: Option<ResampleTable>,
    title: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlignTable {
    times: String,
    origin: Option<String>,
    method: String,
    max_age: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResampleTable {
    every: String,
    origin: Option<String>,
    #[serde(default)]
    statistics: Vec<String>,
    layout: Option<String>,
    #[serde(default)]
    keep_empty: bool,
}

impl Job {
    /// Reads a job file. `name` is what it is called if it does not say so itself; `now` is what relative times refer to.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Usage`] with the line of what cannot be read.
    pub fn from_toml(text: &str, name: &str, now: Instant) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|error| {
            Error::usage(format!("could not read the job file `{name}`")).caused_by(error)
        })?;
        let range = match (&file.start, &file.stop) {
            (None, None) => None,
            (Some(start), stop) => {
                let stop = stop.as_deref().unwrap_or("now");
                Some(TimeRange::new(parse_instant(start, now)?, parse_instant(stop, now)?)?)
            }
            (None, Some(_)) => return Err(Error::usage(format!("`{name}` has a stop and no start"))),
        };
        let searches = file.observations.iter();
        let searches = searches.map(|text| ExposureSearch::parse(text, file.instrument.as_deref()));
        let during = During {
            searches: searches.collect::<Result<Vec<_>>>()?,
            files: file.products,
            margin: file.margin.as_deref().map_or(Ok(Duration::ZERO), parse_duration)?,
        };
        let terms = file.select.iter().map(|word| Term::parse(word, now)).collect::<Result<Vec<_>>>()?;
        let folder = file.folder.unwrap_or_default();
        let outputs =
            file.output.into_iter().map(|output| output.read(&folder)).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            name: file.name.unwrap_or_else(|| name.to_owned()),
            source: file.source,
            store: file.store,
            selection: Selection { terms, ranges: range.into_iter().collect() },
            during,
            change_only: file.change_only,
            outputs,
        })
    }
}

impl OutputTable {
    fn read(self, folder: &Path) -> Result<Output> {
        let path = folder.join(&self.file);
        let fault =
            |error: Error| error.while_doing(format!("could not plan the output `{}`", path.display()));
        let extension = self.file.extension().unwrap_or_default().to_string_lossy().into_owned();
        let figure = plot::Format::from_extension(self.format.as_deref().unwrap_or(&extension));
        let shape = match (figure, self.align, self.resample) {
            (Some(format), None, None) => {
                let mut options = FigureOptions::default();
                options.title = self.title;
                options.width = self.width.unwrap_or(options.width);
                options.height = self.height;
                Shape::Figure(Box::new(options), format)
            }
            (Some(_), ..) => {
                return Err(fault(Error::usage(
                    "a figure shows the samples themselves; `align` and `resample` are for tables",
                )));
            }
            (None, Some(_), Some(_)) => {
                return Err(fault(Error::usage("a table is either aligned or resampled, not both")));
            }
            (None, align, resample) => {
                let format = match &self.format {
                    Some(name) => export::Format::from_name(name),
                    None => export::Format::from_path(&path),
                };
                let format = format.map_err(fault)?;
                match (align, resample) {
                    (Some(align), _) => Shape::Aligned(align.read().map_err(fault)?, format),
                    (_, Some(resample)) => Shape::Resampled(resample.read().map_err(fault)?, format),
                    _ => Shape::Long(format),
                }
            }
        };
        Ok(Output { path, shape })
    }
}

impl AlignTable {
    fn read(self) -> Result<AlignOptions> {
        Ok(AlignOptions {
            times: parse_times(&self.times, self.origin.as_deref())?,
            method: parse_method(&self.method)?,
            limit: parse_limit(&self.max_age)?,
        })
    }
}

impl ResampleTable {
    fn read(self) -> Result<ResampleOptions> {
        Ok(ResampleOptions {
            step_us: positive_micros(&self.every, parse_duration(&self.every)?)?,
            origin_us: origin_us(self.origin.as_deref())?,
            statistics: parse_statistics(&self.statistics)?,
            empty: if self.keep_empty { EmptyBins::Null } else { EmptyBins::Absent },
            layout: self.layout.as_deref().map_or(Ok(edb::frame::Layout::Long), parse_layout)?,
        })
    }
}

/// Reads a duration, or `unlimited`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_limit(text: &str) -> Result<Limit> {
    if text == "unlimited" { Ok(Limit::Unlimited) } else { parse_duration(text).map(Limit::At) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Job> {
        Job::from_toml(text, "a test", parse_instant("2022-07-01", Instant::MIN).unwrap())
    }

    #[test]
    fn a_job_file_says_what_to_select_and_what_to_make() {
        let job = read(
            r#"
            source = "sample"
            folder = "out"
            start = "-1d"
            observations = ["2733:1"]
            instrument = "miri"
            margin = "10m"
            select = ["SA_A", "SA_B@2022-06-01/2022-06-02"]
            change_only = ["sa_b"]
            [[output]]
            file = "a.parquet"
            align = { times = "1s", method = "hold", max_age = "unlimited" }
            [[output]]
            file = "b.csv"
            resample = { every = "1m", statistics = ["mean", "count"], layout = "wide" }
            [[output]]
            file = "c.svg"
            "#,
        )
        .unwrap();
        assert_eq!(job.selection.ranges[0].to_string(), "2022-06-30T00:00:00Z/2022-07-01T00:00:00Z");
        assert_eq!(job.during.searches[0].to_string(), "jw02733001 of MIRI");
        assert_eq!(job.during.margin, Duration::from_mins(10));
        assert_eq!(job.outputs[0].path, Path::new("out/a.parquet"));
        assert!(
            matches!(&job.outputs[0].shape, Shape::Aligned(options, _) if options.limit == Limit::Unlimited)
        );
        assert!(
            matches!(&job.outputs[1].shape, Shape::Resampled(options, _) if options.step_us == 60_000_000)
        );
        assert!(matches!(&job.outputs[2].shape, Shape::Figure(_, plot::Format::Svg)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, expected) in [
            ("select = []\noutput = []\nsorce = \"mast\"", "unknown field `sorce`"),
            ("select = [\"A A\"]\noutput = []", "could not read `A A` as a mnemonic"),
            ("select = []\n[[output]]\nfile = \"a.docx\"", "a.docx"),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\nalign = { times = \"1s\", method = \"hold\" }",
                "missing field `max_age`",
            ),
            (
                "select = []\n[[output]]\nfile = \"a.png\"\nresample = { every = \"1s\" }",
                "a figure shows the samples",
            ),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\nresample = { every = \"0s\" }",
                "longer than nothing",
            ),
            ("select = []\noutput = []\nstop = \"now\"", "a stop and no start"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.chain().contains(expected), "{text}: {}", error.chain());
        }
    }
}
