//! Job files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use edb::export::PartitionKey;
use edb::frame::{
    AlignOptions, Beside, Borders, EmptyBins, FlawOptions, IntervalOptions, Limit, Preparation,
    ResampleOptions,
};
use edb::{
    During, Error, ExposureSearch, Instant, Mnemonic, Result, Selection, Term, TimeRange, export,
    parse_duration, parse_instant, plot,
};
use serde::Deserialize;

use crate::destination::Destination;
use crate::figure_file::{FigureWords, PanelWords};
use crate::job::{Job, Output, Shape, TableShape};
use crate::preparation::PreparationWords;
use crate::words::{
    file_shape, parse_beside, parse_bins, parse_borders, parse_clip, parse_dialect, parse_exception,
    parse_layout, parse_limit, parse_method, parse_stamp, parse_statistics, parse_times, parse_value_limits,
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
    #[serde(default)]
    select: Vec<String>,
    #[serde(default)]
    change_only: Vec<Mnemonic>,
    manifest: Option<PathBuf>,
    output: Vec<OutputTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputTable {
    file: PathBuf,
    format: Option<String>,
    #[serde(default)]
    partition: Keys,
    comments: Option<bool>,
    dialect: Option<String>,
    align: Option<AlignTable>,
    resample: Option<ResampleTable>,
    table: Option<String>,
    #[serde(default)]
    limits: Vec<String>,
    #[serde(default)]
    derive: Vec<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
    pad: Option<String>,
    within: Option<PathBuf>,
    without: Option<PathBuf>,
    ignore_edges: Option<String>,
    max_gap: Option<String>,
    #[serde(default)]
    until_seen: bool,
    #[serde(default)]
    complete_only: bool,
    borders: Option<String>,
    title: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    figure: Option<FigureSource>,
}

/// A figure description, or the name of a file with one.
#[derive(Deserialize)]
#[serde(untagged)]
enum FigureSource {
    File(PathBuf),
    Words(Box<FigureWords>),
}

/// `["mnemonic", "day"]`, or as on the command line `"mnemonic,day"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    List(Vec<String>),
    Text(String),
}

impl Default for Keys {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Keys {
    fn words(&self) -> impl Iterator<Item = &str> {
        let (list, text) = match self {
            Self::List(list) => (list.as_slice(), None),
            Self::Text(text) => (&[][..], Some(text.split(','))),
        };
        list.iter().map(String::as_str).chain(text.into_iter().flatten())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlignTable {
    times: String,
    origin: Option<String>,
    method: Option<String>,
    max_age: String,
    #[serde(default)]
    exceptions: Vec<String>,
    beside: Option<String>,
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
    stamp: Option<String>,
    #[serde(default)]
    min_count: u64,
    sigma: Option<f64>,
    max_iterations: Option<u32>,
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
        let read = |output: OutputTable| output.read(&folder, now);
        let outputs = file.output.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            name: file.name.unwrap_or_else(|| name.to_owned()),
            source: file.source,
            store: file.store,
            selection: Selection { terms, ranges: range.into_iter().collect() },
            during,
            change_only: file.change_only,
            outputs,
            manifest: file.manifest.map(|path| folder.join(path)),
            asked: vec![("job_file".to_owned(), text.to_owned())],
        })
    }
}

impl OutputTable {
    fn read(self, folder: &Path, now: Instant) -> Result<Output> {
        let path = folder.join(&self.file);
        let plan = || {
            let max_gap = self.max_gap.as_deref().map_or(Ok(Limit::Learned), parse_limit)?;
            let borders = self.borders.as_deref().map_or(Ok(Borders::Hold), parse_borders)?;
            let intervals = IntervalOptions { borders, max_gap, complete_only: self.complete_only };
            if let Some(format) = self.figure_format() {
                return Ok((Preparation::default(), self.figure(format, now)?));
            }
            if self.figure.is_some() {
                return Err(Error::usage("a figure is a file that ends in `.png`, `.svg` or `.html`"));
            }
            Ok((self.preparation().plan(now)?, self.shape(&path, intervals)?))
        };
        let (preparation, shape) = plan().map_err(|error: Error| {
            error.while_doing(format!("could not plan the output `{}`", path.display()))
        })?;
        let keys: Result<Vec<PartitionKey>> = self.partition.words().map(PartitionKey::parse).collect();
        let keys = keys
            .map_err(|error| error.while_doing(format!("could not plan the output `{}`", path.display())))?;
        let destination =
            if keys.is_empty() { Destination::File(path) } else { Destination::DataSet(path, keys) };
        Ok(Output { destination, preparation, shape })
    }

    fn preparation(&self) -> PreparationWords {
        PreparationWords {
            derive: self.derive.clone(),
            condition: self.condition.clone(),
            pad: self.pad.clone(),
            until_seen: self.until_seen,
            complete_only: self.complete_only,
            borders: self.borders.clone(),
            within: self.within.clone(),
            without: self.without.clone(),
            ignore_edges: self.ignore_edges.clone(),
            max_gap: self.max_gap.clone(),
        }
    }

    fn figure_format(&self) -> Option<plot::Format> {
        let extension = self.file.extension().unwrap_or_default().to_string_lossy().into_owned();
        plot::Format::from_extension(self.format.as_deref().unwrap_or(&extension))
    }

    fn figure(&self, format: plot::Format, now: Instant) -> Result<Shape> {
        if self.align.is_some() || self.resample.is_some() || self.table.is_some() {
            return Err(Error::usage("`align`, `resample` and `table` are for tables")
                .with_hint("a figure has bins by `figure = { default = { resample = \"5m\" } }`"));
        }
        let described = match &self.figure {
            Some(FigureSource::File(path)) => FigureWords::from_file(path)?,
            Some(FigureSource::Words(words)) => words.as_ref().clone(),
            None => FigureWords::default(),
        };
        let own = FigureWords {
            title: self.title.clone(),
            width: self.width,
            height: self.height,
            usual: PanelWords {
                derive: self.derive.clone(),
                condition: self.condition.clone(),
                pad: self.pad.clone(),
                until_seen: self.until_seen.then_some(true),
                within: self.within.clone(),
                without: self.without.clone(),
                ignore_edges: self.ignore_edges.clone(),
                max_gap: self.max_gap.clone(),
                ..PanelWords::default()
            },
            ..FigureWords::default()
        };
        Ok(Shape::Figure(Box::new(own.or(described).plan(format, now)?)))
    }

    fn shape(&self, path: &Path, intervals: IntervalOptions) -> Result<Shape> {
        let format = match &self.format {
            Some(name) => export::Format::from_name(name)?,
            None if self.partition.words().next().is_some() => export::Format::Parquet,
            None => export::Format::from_path(path)?,
        };
        let dialect = parse_dialect(self.dialect.as_deref().unwrap_or("plain"))?;
        let word = self.table.as_deref().unwrap_or_default();
        if !self.limits.is_empty() && word != "flaws" {
            return Err(Error::usage("limits of values are for flaws, and another table is asked for")
                .with_hint("add `table = \"flaws\"`"));
        }
        let has_borders = self.complete_only || self.borders.is_some();
        if has_borders && self.condition.is_none() && !["states", "duty"].contains(&word) {
            return Err(Error::usage(
                "`borders` and `complete_only` are about states and conditions, and there are none",
            )
            .with_hint("add `where`, or `table = \"states\"`"));
        }
        let table = match (&self.align, &self.resample, &self.table) {
            (Some(align), None, None) => TableShape::Aligned(align.read()?),
            (None, Some(resample), None) => TableShape::Resampled(resample.read(intervals.max_gap)?),
            (None, None, None) => TableShape::Long,
            (None, None, Some(word)) => {
                let limits =
                    self.limits.iter().map(|text| parse_value_limits(text)).collect::<Result<Vec<_>>>()?;
                let flaws = FlawOptions { limits, max_gap: intervals.max_gap, ..FlawOptions::default() };
                TableShape::parse(word, intervals, flaws)?
            }
            _ => return Err(Error::usage("a table is one of `align`, `resample` and `table`, not several")),
        };
        file_shape(table, format, dialect, self.comments)
    }
}

impl AlignTable {
    fn read(&self) -> Result<AlignOptions> {
        Ok(AlignOptions {
            times: parse_times(&self.times, self.origin.as_deref())?,
            method: parse_method(self.method.as_deref().unwrap_or("hold"))?,
            limit: parse_limit(&self.max_age)?,
            exceptions: self
                .exceptions
                .iter()
                .map(|text| parse_exception(text))
                .collect::<Result<Vec<_>>>()?,
            beside: self.beside.as_deref().map_or(Ok(Beside::Nothing), parse_beside)?,
        })
    }
}

impl ResampleTable {
    fn read(&self, max_gap: Limit) -> Result<ResampleOptions> {
        let bins = parse_bins(&self.every, self.origin.as_deref())?;
        Ok(ResampleOptions {
            statistics: parse_statistics(&self.statistics)?,
            empty: if self.keep_empty { EmptyBins::Null } else { EmptyBins::Absent },
            layout: self.layout.as_deref().map_or(Ok(edb::frame::Layout::Long), parse_layout)?,
            stamp: self.stamp.as_deref().map_or(Ok(edb::frame::Stamp::Start), parse_stamp)?,
            min_count: self.min_count,
            clip: parse_clip(self.sigma.unwrap_or(3.0), self.max_iterations.unwrap_or(5))?,
            max_gap,
            ..ResampleOptions::new(bins)
        })
    }
}

#[cfg(test)]
mod tests {
    use edb::frame::Bins;

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
            [[output]]
            file = "d"
            partition = "mnemonic,day"
            "#,
        )
        .unwrap();
        assert_eq!(job.selection.ranges[0].to_string(), "2022-06-30T00:00:00Z/2022-07-01T00:00:00Z");
        assert_eq!(job.during.searches[0].to_string(), "jw02733001 of MIRI");
        assert_eq!(job.during.margin, Duration::from_mins(10));
        assert_eq!(job.outputs[0].destination.path().unwrap(), Path::new("out/a.parquet"));
        assert!(
            matches!(&job.outputs[0].shape, Shape::Table(TableShape::Aligned(options), _) if options.limit == Limit::Unlimited)
        );
        assert!(
            matches!(&job.outputs[1].shape, Shape::Table(TableShape::Resampled(options), _) if options.bins == Bins::Grid(edb::frame::Grid::every(60_000_000)))
        );
        assert!(matches!(&job.outputs[2].shape, Shape::Figure(figure) if figure.format == plot::Format::Svg));
        assert!(
            matches!(&job.outputs[3].destination, Destination::DataSet(path, keys) if path == Path::new("out/d") && keys.len() == 2)
        );
        assert!(
            matches!(&job.outputs[3].shape, Shape::Table(_, options) if options.format == export::Format::Parquet)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, expected) in [
            ("select = []\noutput = []\nsorce = \"mast\"", "unknown field `sorce`"),
            ("select = [\"A A\"]\noutput = []", "could not read `A A` as a mnemonic"),
            ("select = []\n[[output]]\nfile = \"a.docx\"", "a.docx"),
            ("select = []\n[[output]]\nfile = \"a.csv\"\npartition = [\"week\"]", "could not read `week`"),
            (
                "select = []\n[[output]]\nfile = \"a.parquet\"\ncomments = false",
                "comments are a matter of CSV",
            ),
            ("select = []\n[[output]]\nfile = \"a.ecsv\"\ndialect = \"edb\"", "a dialect is a matter of CSV"),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\ndialect = \"edb\"\ntable = \"states\"",
                "the service's form has every sample",
            ),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\nalign = { times = \"1s\", method = \"hold\" }",
                "missing field `max_age`",
            ),
            ("select = []\n[[output]]\nfile = \"a.png\"\nresample = { every = \"1s\" }", "are for tables"),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\nresample = { every = \"0s\" }",
                "longer than nothing",
            ),
            ("select = []\noutput = []\nstop = \"now\"", "a stop and no start"),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\nlimits = [\"A=1..2\"]",
                "limits of values are for flaws",
            ),
            ("select = []\n[[output]]\nfile = \"a.csv\"\nuntil_seen = true", "no `where` that it belongs to"),
            (
                "select = []\n[[output]]\nfile = \"a.csv\"\ncomplete_only = true",
                "about states and conditions",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.chain().contains(expected), "{text}: {}", error.chain());
        }
    }
}
