//! One row a bin.

use std::time::Duration;

use edb_core::{Error, Notice, NoticeKind, Request, Result, Sampling, Series, ValueKind, format_duration};
use edb_series::grid::Grid;
use edb_series::order::Clip;

use crate::align::{Limit, MAX_ROWS, describe};
use crate::bin::{ByTime, Summary};
use crate::parts::{self, by_mnemonic};
use crate::statistic::Statistic;
use crate::table::Table;

/// What becomes of bins in which a mnemonic has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyBins {
    /// They have no row (unless another mnemonic of a wide table has something).
    Absent,
    /// They have a row with count 0 and nulls, wherever the mnemonic was asked for.
    Null,
}

/// The shape of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One row for each bin and mnemonic: `time`, `mnemonic`, one column a statistic, and `first_text`, `last_text` if any
    /// mnemonic is text.
    Long,
    /// One row for each bin: `time`, then `MNEMONIC_statistic` for each.
    Wide,
}

/// Where one bin ends and the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bins {
    /// Half-open bins `[lo, hi)` on a grid.
    Grid(Grid),
    /// One bin for each series as it is: a whole range, or one block of what a filter left. The table has a column `stop`.
    Series,
    /// One bin for each of these ranges of a mnemonic, whatever a filter left in it; of a mnemonic that is not among them as
    /// [`Series`](Self::Series). The table has a column `stop`.
    Ranges(Vec<Request>),
}

/// Which time stands for a bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamp {
    /// Its start.
    #[default]
    Start,
    /// Its centre.
    Centre,
    /// The mean of the times of its samples; its centre if it has none. In long tables only: each mnemonic has its own.
    MeanTime,
}

/// How to resample.
#[derive(Debug, Clone, PartialEq)]
pub struct ResampleOptions {
    /// The bins.
    pub bins: Bins,
    /// Which statistics, in the order of the columns.
    pub statistics: Vec<Statistic>,
    /// What becomes of empty bins.
    pub empty: EmptyBins,
    /// The shape of the table.
    pub layout: Layout,
    /// Which time stands for a bin.
    pub stamp: Stamp,
    /// How many samples with a value a bin must have for its statistics to be told; with fewer only the count is.
    pub min_count: u64,
    /// How far sigma clipping goes.
    pub clip: Clip,
    /// How long a value holds at most in [`Statistic::TimeMean`], [`Statistic::TimeStd`] and [`Statistic::Fraction`]. It does not bind what
    /// is change-only.
    pub max_gap: Limit,
}

impl ResampleOptions {
    /// The usual statistics of bins, empty ones absent, a row for each bin and mnemonic, stamped with its start.
    pub fn new(bins: Bins) -> Self {
        Self {
            bins,
            statistics: Statistic::USUAL.to_vec(),
            empty: EmptyBins::Absent,
            layout: Layout::Long,
            stamp: Stamp::Start,
            min_count: 0,
            clip: Clip::default(),
            max_gap: Limit::Learned,
        }
    }

    /// The usual statistics of bins of `step_us` microseconds from 1970-01-01T00:00:00Z.
    pub fn every(step_us: i64) -> Self {
        Self::new(Bins::Grid(Grid::every(step_us)))
    }
}

/// Statistics of bins `[lo, hi)` on a grid of time, or of each series as a whole.
///
/// - Samples that come at a cadence stand for themselves. Values of mnemonics that are change-only (as stated, or as their
///   samples say) are weighted by how long each of them held in the bin, the state into the range included, and never into
///   what is unknown; a notice says so. [`EmptyBins::Absent`] then leaves out the bins in which no value is known to have held.
/// - Text mnemonics have `count`, `first`, `last` and `fraction` only: in wide tables as texts, in long tables as
///   `first_text` and `last_text`.
/// - A mnemonic with several ranges is one: a bin that two of them share has the statistics of all its samples.
/// - A statistic that does not exist (the deviation of nothing) is null.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if bins without samples are wanted (or held through) and a mnemonic would have 2²⁹ bins or more, if the
/// ranges of one mnemonic have values of different kinds, or for mean times in a wide table.
///
/// # Examples
/// ```
/// # use edb_frame::{ResampleOptions, Statistic, resample};
/// # use edb_core::{Instant, Mnemonic, Nulls, Samples, Series, SqlType, TimeRange, Values};
/// # fn series(name: &str, times_s: &[i64], values: Values, sql_type: SqlType) -> Series {
/// #     let times = times_s.iter().map(|time| time * 1_000_000).collect();
/// #     let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap();
/// #     let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(60_000_000)).unwrap();
/// #     Series::new(Mnemonic::new(name).unwrap(), range, samples)
/// # }
/// # fn reals(name: &str, times_s: &[i64], values: &[f64]) -> Series {
/// #     series(name, times_s, Values::real(values.to_vec()), SqlType::Float)
/// # }
/// let mut heater = reals("HEATER", &[0, 30], &[0.0, 1.0]);
/// heater.about.all_points = Some(false); // reported on change only: weighted by time
/// let statistics = vec![Statistic::Count, Statistic::Mean];
/// let table = resample(&[heater], &ResampleOptions { statistics, ..ResampleOptions::every(20_000_000) })?;
/// let mean: Vec<Option<f64>> = table.frame().column("mean").unwrap().f64().unwrap().iter().collect();
/// assert_eq!(mean, [Some(0.0), Some(0.5), Some(1.0)]);
/// assert!(table.notices[0].to_string().contains("weighted by how long each value held"));
/// # Ok::<(), edb_core::Error>(())
/// ```
///
/// # Source
/// numpy, pandas, scipy and astropy on random series, and the JWQL monitor, within DESIGN.md's list of differences.
pub fn resample(series: &[Series], options: &ResampleOptions) -> Result<Table> {
    let mut resampler = Resampler::new(options.clone())?;
    for parts in by_mnemonic(series) {
        resampler.add_parts(&parts)?;
    }
    resampler.finish()
}

/// Resamples one mnemonic after another, so that only one of them need be in memory.
#[derive(Debug)]
pub struct Resampler {
    options: ResampleOptions,
    summaries: Vec<Summary>,
    notices: Vec<Notice>,
}

impl Resampler {
    /// Begins.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] for mean times in a wide table.
    pub fn new(options: ResampleOptions) -> Result<Self> {
        if options.layout == Layout::Wide && options.stamp == Stamp::MeanTime {
            return Err(Error::usage(
                "could not stamp the bins of a wide table with mean times: each mnemonic has its own",
            )
            .with_hint("use a long table, or stamp bins with their start or centre"));
        }
        Ok(Self { options, summaries: Vec::new(), notices: Vec::new() })
    }

    /// Adds the statistics of one mnemonic: all its series.
    ///
    /// # Errors
    /// As [`resample`].
    ///
    /// # Panics
    /// If they are of several mnemonics.
    pub fn add(&mut self, series: &[Series]) -> Result<()> {
        let groups = by_mnemonic(series);
        assert!(groups.len() <= 1, "one mnemonic at a time");
        groups.first().map_or(Ok(()), |parts| self.add_parts(parts))
    }

    fn add_parts(&mut self, parts: &[&Series]) -> Result<()> {
        let kind = parts::kind_of(parts)?;
        let (sampling, notice) = parts::sampling(parts);
        let is_held = sampling == Sampling::ChangeOnly && kind != ValueKind::Text;
        self.notices.extend(notice.filter(|_| is_held));
        let by_time = ByTime::of(kind, &self.options);
        if is_held || by_time.moments || by_time.fractions || self.options.empty == EmptyBins::Null {
            refuse_too_many_bins(parts, &self.options)?;
        }
        if is_held {
            let text = "is change-only: its statistics are weighted by how long each value held";
            self.notices.push(Notice::about(NoticeKind::HeldInstead, parts[0].mnemonic(), text));
        }
        self.summaries.push(Summary::of(parts, kind, is_held, &self.options, &mut self.notices));
        Ok(())
    }

    /// The table of all that was added.
    ///
    /// # Errors
    /// None that bad telemetry could cause.
    pub fn finish(self) -> Result<Table> {
        let options = &self.options;
        let mut table = Table::new(crate::bin_columns::columns(&self.summaries, options), self.notices)?;
        let stamp = match options.stamp {
            Stamp::Start => "start of the bin",
            Stamp::Centre => "centre of the bin",
            Stamp::MeanTime => "mean time of its samples",
        };
        let bins = match &options.bins {
            Bins::Grid(grid) => format!("[lo, hi) {}", describe(*grid)),
            Bins::Series => "each range or block".to_owned(),
            Bins::Ranges(_) => "each range".to_owned(),
        };
        table.made = vec![
            ("layout".to_owned(), if options.layout == Layout::Long { "long" } else { "wide" }.to_owned()),
            ("bins".to_owned(), bins),
            ("time".to_owned(), stamp.to_owned()),
            ("std".to_owned(), "population (divided by n)".to_owned()),
        ];
        if options.statistics.iter().any(|statistic| statistic.word().starts_with("clipped")) {
            let rounds = options
                .clip
                .max_iterations
                .map_or("until stable".to_owned(), |most| format!("at most {most} times"));
            table.made.push((
                "clipping".to_owned(),
                format!("{} sigma about the median, {rounds}", options.clip.sigma),
            ));
        }
        if options.min_count > 1 {
            table.made.push(("least count".to_owned(), options.min_count.to_string()));
        }
        Ok(table)
    }
}

/// Bins without samples cost memory too.
fn refuse_too_many_bins(parts: &[&Series], options: &ResampleOptions) -> Result<()> {
    let Bins::Grid(grid) = options.bins else { return Ok(()) };
    let bins = |part: &&Series| grid.count(part.range.start().as_micros(), part.range.stop().as_micros());
    let count: u64 = parts.iter().map(bins).sum();
    if count < MAX_ROWS {
        return Ok(());
    }
    let step = match grid {
        Grid::Step { step_us, .. } => format_duration(Duration::from_micros(step_us as u64)),
        Grid::Months(months) => format!("{months} months"),
    };
    let mnemonic = parts[0].mnemonic();
    let message =
        format!("could not resample {mnemonic}: {count} bins of {step}, expected fewer than {MAX_ROWS}");
    Err(Error::usage(message).with_hint("take wider bins, a shorter range, or leave empty bins out"))
}
