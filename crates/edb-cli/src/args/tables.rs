//! The flags of `export` and `stats`.

use std::path::PathBuf;

use clap::Args;

use super::SelectionArgs;

/// What is done to series before tables are made of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conditions and derived quantities")]
pub(crate) struct PrepareArgs {
    /// Add a quantity made of mnemonics: `'power = SE_ZIMIRICEA * SE_ZBUSVLT'` (repeat for several). Its times are those of the mnemonic
    /// named first; of the others real values lie on lines between their samples, the rest is held
    #[arg(long, value_name = "NAME = EXPRESSION")]
    pub(crate) derive: Vec<String>,
    /// Only samples while this holds: `"MODE = 'ON' and VOLT > 25"`, `'visit V01234001001'`. Each value holds until the next sample
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,
    /// Widen the intervals of the condition: `5s` on both sides, `5s/10s` before and after, `-5s` to narrow them
    #[arg(long, value_name = "MARGIN", requires = "condition", allow_hyphen_values = true)]
    pub(crate) pad: Option<String>,
    /// End the condition's intervals with the last sample that meets it, not with the first that does not
    #[arg(long, requires = "condition")]
    pub(crate) until_seen: bool,
    /// Only samples in the intervals of this file: columns `start` and `stop`, nothing for open ends; intervals that touch are one; csv, parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) within: Option<PathBuf>,
    /// No samples in the intervals of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) without: Option<PathBuf>,
    /// Leave out the first and the last samples of each block, where it has more: `2/1`
    #[arg(long, value_name = "FIRST/LAST")]
    pub(crate) ignore_edges: Option<String>,
    /// How long a value may stand for others in conditions, derived quantities, states and statistics weighted by time: a duration,
    /// `learned` (one and a half cadences) or `unlimited`. It does not bind what is change-only
    #[arg(long, value_name = "DURATION", default_value = "learned")]
    pub(crate) max_gap: String,
}

/// Statistics of bins.
#[derive(Debug, Args)]
#[command(next_help_heading = "Statistics")]
pub(crate) struct StatisticArgs {
    /// Statistics of bins: count, mean, min, max, std, median, first, last [default: these], `std_sample`, sum, range, rms, p05 (any
    /// percentile), `p05_cunnane`, `time_mean`, `time_std`, fraction, `clipped_mean`, `clipped_median`, `clipped_std`, `clipped_count`
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub(crate) statistics: Vec<String>,
    /// Rows of bins: `long` (one for each mnemonic) or `wide`
    #[arg(long, value_name = "LAYOUT", default_value = "long")]
    pub(crate) layout: String,
    /// Give empty bins a row of nulls
    #[arg(long)]
    pub(crate) keep_empty: bool,
    /// Which time stands for a bin: start, centre, mean (of its samples)
    #[arg(long, value_name = "WORD", default_value = "start")]
    pub(crate) stamp: String,
    /// Tell nothing but the count of bins with fewer samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_count: u64,
    /// Sigma clipping: how many standard deviations from the median a value may be
    #[arg(long, value_name = "N", default_value_t = 3.0, allow_hyphen_values = true)]
    pub(crate) sigma: f64,
    /// Sigma clipping: how often at most; 0 until nothing is left to clip
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) max_iterations: u32,
    /// A time that is one of the grid's, or the start of a bin [default: 1970-01-01]
    #[arg(long, value_name = "TIME")]
    pub(crate) origin: Option<String>,
}

impl StatisticArgs {
    /// The first of these flags that says something, the origin apart, which grids have, too.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--statistics", !self.statistics.is_empty()),
            ("--layout", self.layout != "long"),
            ("--keep-empty", self.keep_empty),
            ("--stamp", self.stamp != "start"),
            ("--min-count", self.min_count != 0),
            ("--sigma", self.sigma.to_bits() != 3.0_f64.to_bits()),
            ("--max-iterations", self.max_iterations != 5),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }
}

/// Tables that are made without further words.
#[derive(Debug, Args)]
#[command(next_help_heading = "Other tables")]
pub(crate) struct TableArgs {
    /// Another table: states, duty (time in states), intervals (of --where), flaws, cadences, visits, activities, messages
    #[arg(long, value_name = "WORD")]
    pub(crate) table: Option<String>,
    /// Where states and conditions begin and end: at the sample (`hold`) or halfway to it (`midpoint`)
    #[arg(long, value_name = "WORD", default_value = "hold")]
    pub(crate) borders: String,
    /// Only states, and intervals of conditions, whose beginning and end were seen
    #[arg(long)]
    pub(crate) complete_only: bool,
    /// Limits of values, for flaws: `SE_ZBUSVLT=26..32` (repeat for several)
    #[arg(long, value_name = "MNEMONIC=LOW..HIGH", allow_hyphen_values = true)]
    pub(crate) limits: Vec<String>,
}

/// Files of tables.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct FileArgs {
    /// File to write, by extension: parquet, csv, ecsv, fits, vot, arrow, jsonl, and of every sample png, svg, html; `-` is stdout; with
    /// --partition a folder (repeat for several) [default: CSV on stdout; for statistics on a terminal a table]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// The format, whatever the name ends in; with --partition Parquet unless said
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// A file for each of these, in folders `mnemonic=…/day=…` that engines read as one data set: mnemonic, year, month, day
    #[arg(long, value_name = "KEYS", value_delimiter = ',', requires = "output")]
    pub(crate) partition: Vec<String>,
    /// The form of CSV: `plain`, or `edb`, the service's own with its bracket rows, for one mnemonic over one range
    #[arg(long, value_name = "WORD", default_value = "plain")]
    pub(crate) csv_dialect: String,
    /// No `#` lines before the rows of CSV
    #[arg(long)]
    pub(crate) no_comments: bool,
    /// JSON of what was asked, what came of it, and rows, sizes and SHA-256 of the files
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Align to these times: a step (`1s`, `1mo`), `union`, or `of:MNEMONIC`
    #[arg(long, value_name = "TIMES", conflicts_with_all = ["resample", "table"])]
    pub(crate) align: Option<String>,
    /// Which sample stands at a time: hold, nearest, linear, exact
    #[arg(long, value_name = "METHOD", default_value = "hold", requires = "align")]
    pub(crate) method: String,
    /// How old or far a sample may be (`10s`), `learned` (one and a half cadences) or `unlimited`; with linear, how far apart the two
    /// may be
    #[arg(long, value_name = "DURATION", requires = "align")]
    pub(crate) max_age: Option<String>,
    /// A method and a limit for one mnemonic: `SA_ZFGDETID=hold@10s` (repeat for several)
    #[arg(long, value_name = "MNEMONIC=METHOD@LIMIT", requires = "align")]
    pub(crate) method_of: Vec<String>,
    /// Add a column beside each: `age` of its sample, or its `time`
    #[arg(long, value_name = "WORD", requires = "align")]
    pub(crate) beside: Option<String>,
    /// Resample to bins of this width (`1m`, `1d`, `1mo`)
    #[arg(long, value_name = "DURATION", conflicts_with = "table")]
    pub(crate) resample: Option<String>,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) statistics: StatisticArgs,
    #[command(flatten)]
    pub(crate) tables: TableArgs,
    #[command(flatten)]
    pub(crate) prepare: PrepareArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// What each row is about: `range`, a bin (`1m`, `1d`, `1mo`), or `block` (what --where, --within and --without leave)
    #[arg(long, value_name = "WORD", default_value = "range", conflicts_with = "table")]
    pub(crate) by: String,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) statistics: StatisticArgs,
    #[command(flatten)]
    pub(crate) tables: TableArgs,
    #[command(flatten)]
    pub(crate) prepare: PrepareArgs,
}
