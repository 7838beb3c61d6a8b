//! Figure descriptions: the words in which flags, job files and files of their own say what a figure shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use edb::frame::{EmptyBins, Layout, ResampleOptions, Stamp, Statistic};
use edb::plot::{ChartKind, Clock, Decimation, FigureOptions, Format, Grouping, Limits, Theme};
use edb::{Error, Instant, Mnemonic, Result};
use serde::Deserialize;

use crate::figure::{BinPlan, Envelope, Figure, PanelPlan};
use crate::preparation::PreparationWords;
use crate::words::{parse_bins, parse_limit};

/// A figure in words. What is not said is as usual.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FigureWords {
    /// The line above the panels.
    pub title: Option<String>,
    /// Pixels of 1/96 inch.
    pub width: Option<u32>,
    /// Pixels of 1/96 inch.
    pub height: Option<u32>,
    /// Pixels of the file per inch.
    pub dpi: Option<f64>,
    /// `light` or `dark`.
    pub theme: Option<String>,
    /// `utc`, `doy` or `mjd`.
    pub clock: Option<String>,
    /// `m4` or `lttb`.
    pub downsample: Option<String>,
    /// How many points a page holds.
    pub page_points: Option<usize>,
    /// What holds of all panels that do not say otherwise.
    #[serde(rename = "default")]
    pub usual: PanelWords,
    /// The panels; without any, one of all that is selected.
    pub panel: Vec<PanelWords>,
}

/// A panel in words, or several that are alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PanelWords {
    /// Mnemonics; by default all that are selected.
    pub select: Option<Vec<String>>,
    /// `time`, `deviation`, `histogram`, `phase`.
    pub show: Vec<String>,
    /// `unit` or `mnemonic`.
    pub by: Option<String>,
    /// What stands above.
    pub heading: Option<String>,
    /// What the mnemonics are.
    pub description: Option<String>,
    /// Whether value axes are logarithmic.
    pub log: Option<bool>,
    /// The width of bins.
    pub resample: Option<String>,
    /// The start of a bin.
    pub origin: Option<String>,
    /// The statistic that is drawn as a line.
    pub line: Option<String>,
    /// `range`, `std` or `none`.
    pub envelope: Option<String>,
    /// Whether samples are drawn beside bins.
    pub samples: Option<bool>,
    /// Limits by mnemonic; `all` is every one.
    pub limits: BTreeMap<String, LimitWords>,
    /// Quantities to add.
    pub derive: Vec<String>,
    /// What must hold.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// Margins of the condition's intervals.
    pub pad: Option<String>,
    /// Whether these end with the last sample that meets it.
    pub until_seen: Option<bool>,
    /// A file of intervals of which samples are wanted.
    pub within: Option<PathBuf>,
    /// A file of intervals of which none are.
    pub without: Option<PathBuf>,
    /// How many samples to leave out at both ends of blocks.
    pub ignore_edges: Option<String>,
    /// How long a value may stand for others; of `[default]`, how long a line may go without a sample, too.
    pub max_gap: Option<String>,
}

/// Limits in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitWords {
    /// Where values should be.
    pub nominal: Option<f64>,
    /// What causes no worry.
    pub yellow: Option<[f64; 2]>,
    /// What is allowed.
    pub red: Option<[f64; 2]>,
}

impl FigureWords {
    /// Reads a figure description.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Usage`] with the line of what cannot be read.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text)
            .map_err(|error| Error::usage("could not read the figure description").caused_by(error))
    }

    /// Reads a file with one.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml); [`edb::ErrorKind::Disk`] if it cannot be read.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::disk("read", path, error))?;
        Self::from_toml(&text)
            .map_err(|error| error.while_doing(format!("could not use `{}`", path.display())))
    }

    /// These words, and where they say nothing the others'. Panels are taken from whoever has some.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            title: self.title.or(other.title),
            width: self.width.or(other.width),
            height: self.height.or(other.height),
            dpi: self.dpi.or(other.dpi),
            theme: self.theme.or(other.theme),
            clock: self.clock.or(other.clock),
            downsample: self.downsample.or(other.downsample),
            page_points: self.page_points.or(other.page_points),
            usual: self.usual.or(&other.usual),
            panel: if self.panel.is_empty() { other.panel } else { self.panel },
        }
    }

    /// Reads the words; `now` is what relative times refer to.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Usage`] for what cannot be read, [`edb::ErrorKind::Disk`] for a file that cannot be.
    pub fn plan(self, format: Format, now: Instant) -> Result<Figure> {
        let mut options = FigureOptions::default();
        options.title = self.title;
        options.width = self.width.unwrap_or(options.width);
        options.height = self.height;
        options.dots_per_inch = self.dpi.unwrap_or(options.dots_per_inch);
        options.page_points = self.page_points.unwrap_or(options.page_points);
        options.theme =
            word("theme", self.theme.as_deref(), &[("light", Theme::Light), ("dark", Theme::Dark)])?;
        let clocks = [("utc", Clock::Utc), ("doy", Clock::DayOfYear), ("mjd", Clock::Mjd)];
        options.clock = word("clock", self.clock.as_deref(), &clocks)?;
        let ways = [("m4", Decimation::M4), ("lttb", Decimation::Lttb)];
        options.decimation = word("way to downsample", self.downsample.as_deref(), &ways)?;
        if let Some(text) = &self.usual.max_gap {
            options.gap_limit_us = match parse_limit(text)? {
                edb::frame::Limit::Learned => None,
                edb::frame::Limit::Unlimited => Some(i64::MAX),
                edb::frame::Limit::At(longest) => {
                    Some(i64::try_from(longest.as_micros()).unwrap_or(i64::MAX))
                }
            };
        }
        let usual = self.usual;
        let words = if self.panel.is_empty() { vec![PanelWords::default()] } else { self.panel };
        let panels = words.into_iter().map(|panel| panel.or(&usual).plan(now)).collect::<Result<Vec<_>>>()?;
        Ok(Figure { options, format, panels })
    }
}

impl PanelWords {
    fn or(self, usual: &Self) -> Self {
        let list = |own: Vec<String>, usual: &Vec<String>| if own.is_empty() { usual.clone() } else { own };
        let mut limits = usual.limits.clone();
        for (name, own) in self.limits {
            let usual = limits.entry(name).or_default();
            *usual = LimitWords {
                nominal: own.nominal.or(usual.nominal),
                yellow: own.yellow.or(usual.yellow),
                red: own.red.or(usual.red),
            };
        }
        Self {
            select: self.select.or_else(|| usual.select.clone()),
            show: list(self.show, &usual.show),
            by: self.by.or_else(|| usual.by.clone()),
            heading: self.heading.or_else(|| usual.heading.clone()),
            description: self.description.or_else(|| usual.description.clone()),
            log: self.log.or(usual.log),
            resample: self.resample.or_else(|| usual.resample.clone()),
            origin: self.origin.or_else(|| usual.origin.clone()),
            line: self.line.or_else(|| usual.line.clone()),
            envelope: self.envelope.or_else(|| usual.envelope.clone()),
            samples: self.samples.or(usual.samples),
            limits,
            derive: list(self.derive, &usual.derive),
            condition: self.condition.or_else(|| usual.condition.clone()),
            pad: self.pad.or_else(|| usual.pad.clone()),
            until_seen: self.until_seen.or(usual.until_seen),
            within: self.within.or_else(|| usual.within.clone()),
            without: self.without.or_else(|| usual.without.clone()),
            ignore_edges: self.ignore_edges.or_else(|| usual.ignore_edges.clone()),
            max_gap: self.max_gap.or_else(|| usual.max_gap.clone()),
        }
    }

    fn plan(self, now: Instant) -> Result<PanelPlan> {
        let kinds = [
            ("time", ChartKind::Time),
            ("deviation", ChartKind::Deviation),
            ("histogram", ChartKind::Histogram),
            ("phase", ChartKind::Phase),
        ];
        let show =
            self.show.iter().map(|name| word("panel", Some(name), &kinds)).collect::<Result<Vec<_>>>()?;
        let groupings = [("unit", Grouping::Unit), ("mnemonic", Grouping::Mnemonic)];
        let limits = self.limits.iter().map(|(name, limits)| {
            let name = if name == "all" { None } else { Some(Mnemonic::new(name)?) };
            let pair = |[low, high]: [f64; 2]| (low, high);
            let LimitWords { nominal, yellow, red } = *limits;
            let limits = Limits { nominal, yellow: yellow.map(pair), red: red.map(pair) }.checked();
            let whose = name.as_ref().map_or_else(|| "all".to_owned(), Mnemonic::to_string);
            let doing = |error: Error| error.while_doing(format!("could not use the limits of {whose}"));
            Ok((name, limits.map_err(doing)?))
        });
        let limits = limits.collect::<Result<Vec<_>>>()?;
        let bins = self.bins()?;
        let names = self.select.as_ref().map(|names| names.iter().map(|name| Mnemonic::new(name)).collect());
        let preparation = PreparationWords {
            derive: self.derive,
            condition: self.condition,
            pad: self.pad,
            until_seen: self.until_seen.unwrap_or_default(),
            within: self.within,
            without: self.without,
            ignore_edges: self.ignore_edges,
            max_gap: self.max_gap,
            ..PreparationWords::default()
        };
        Ok(PanelPlan {
            select: names.transpose()?,
            kinds: if show.is_empty() { vec![ChartKind::Time] } else { show },
            grouping: word("grouping", self.by.as_deref(), &groupings)?,
            preparation: preparation.plan(now)?,
            bins,
            limits,
            heading: self.heading,
            description: self.description,
            is_logarithmic: self.log.unwrap_or_default(),
        })
    }

    fn bins(&self) -> Result<Option<BinPlan>> {
        let Some(every) = &self.resample else {
            let about_bins = [
                ("line", self.line.is_some()),
                ("envelope", self.envelope.is_some()),
                ("samples", self.samples.is_some()),
            ];
            return match about_bins.iter().find(|(_, is_given)| *is_given) {
                Some((name, _)) => Err(Error::usage(format!("`{name}` is about bins, and there are none"))
                    .with_hint("add `resample`, as in `resample = \"5m\"`, or `--resample 5m`")),
                None => Ok(None),
            };
        };
        let line = Statistic::parse(self.line.as_deref().unwrap_or("mean"))?;
        let envelopes = [("range", Envelope::Range), ("std", Envelope::Deviation), ("none", Envelope::None)];
        let plan = BinPlan {
            options: ResampleOptions::new(parse_bins(every, self.origin.as_deref())?),
            name: every.clone(),
            line,
            envelope: word("envelope", self.envelope.as_deref(), &envelopes)?,
            has_samples: self.samples.unwrap_or_default(),
        };
        let (name, is_deviation) = (line.word(), self.show.iter().any(|word| word == "deviation"));
        if line == Statistic::Fraction {
            return Err(
                Error::usage("a fraction is of each state, and no line").with_hint("ask `edb stats` for it")
            );
        }
        if !plan.is_of_values()
            && (is_deviation || self.envelope.as_deref().is_some_and(|word| word != "none"))
        {
            return Err(Error::usage(format!(
                "a line of `{name}` is not one of values: nothing lies around it or deviates from it"
            ))
            .with_hint("leave the envelope and the deviation out, or draw another line, as `mean`"));
        }
        let envelope = if plan.is_of_values() { plan.envelope } else { Envelope::None };
        let max_gap = parse_limit(self.max_gap.as_deref().unwrap_or("learned"))?;
        // Of what sigma clipping leaves, the deviation is of what it leaves, too.
        let is_clipped = line.word().starts_with("clipped");
        let around = match envelope {
            Envelope::Range => vec![Statistic::Min, Statistic::Max],
            Envelope::Deviation => vec![if is_clipped { Statistic::ClippedStd } else { Statistic::Std }],
            Envelope::None => Vec::new(),
        };
        let mut statistics = vec![line];
        statistics.extend(around.into_iter().filter(|one| *one != line));
        let options = ResampleOptions {
            statistics,
            empty: EmptyBins::Absent,
            layout: Layout::Long,
            stamp: Stamp::Start,
            max_gap,
            ..plan.options
        };
        Ok(Some(BinPlan { options, envelope, ..plan }))
    }
}

fn word<T: Copy>(what: &str, text: Option<&str>, known: &[(&str, T)]) -> Result<T> {
    let Some(text) = text else { return Ok(known[0].1) };
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<String> = known.iter().map(|(word, _)| format!("`{word}`")).collect();
        Error::usage(format!("there is no {what} `{text}`")).with_hint(format!("use {}", words.join(", ")))
    })
}
