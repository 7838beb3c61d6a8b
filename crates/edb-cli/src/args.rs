//! The words of the command line. Reading them has no side effects.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Times: 2022-06-01T12:00:00Z (date only means 00:00:00 UTC), 20220601T120000, 2022:152:12:00:00, mjd:59731.5, now, -7d.
Ranges are half-open, [start, stop).

Exit codes: 0 done · 1 unclassified · 2 usage or job file · 3 partial: some ranges failed, the rest was delivered ·
4 unknown mnemonic · 5 remote fault, retries spent · 6 authorisation · 7 data integrity · 11 local disk or store ·
130/143 interrupted.

Environment: MAST_API_TOKEN (sent when set; most telemetry needs none), ENG_BASE_URL (the service), EDB_STORE (the store).";

/// JWST engineering telemetry: fetch, keep, align, export, plot, serve.
#[derive(Debug, Parser)]
#[command(name = "edb", version, after_help = AFTER_HELP, max_term_width = 120)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every verb understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Where samples come from: `mast`, `sample` (synthetic, built in), `store` (offline), or a service's URL
    #[arg(long, global = true, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Folder of the local archive: asked first, and kept up to date (raw files of `fetch` do not go there) [default: `EDB_STORE`, or none]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Use no local archive, even if `EDB_STORE` names one
    #[arg(long, global = true, conflicts_with = "store")]
    pub(crate) no_store: bool,
    /// Ask the source for everything, known or not
    #[arg(long, global = true)]
    pub(crate) refresh: bool,
    /// Requests under way at once
    #[arg(long, global = true, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
    /// How often to try a request at most; failures that will not pass are never tried again
    #[arg(long, global = true, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
    /// Path between the service's host and `/api`, as `/jwst`
    #[arg(short, long, global = true, value_name = "PATH", default_value = "")]
    pub(crate) prefix: String,
    /// What to print when done
    #[arg(long, global = true, value_enum, default_value_t = SummaryForm::Text)]
    pub(crate) summary: SummaryForm,
    /// Print nothing but data, errors and a JSON summary
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// What is printed when done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryForm {
    /// A table on stderr
    Text,
    /// One JSON object on stdout
    Json,
    /// Nothing
    None,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Download raw EDB CSV files: a superset of MAST's `edb_script.py`, in parallel
    Fetch(FetchArgs),
    /// Write a table: every sample, aligned, or resampled; Parquet or CSV, and figures beside it
    Export(ExportArgs),
    /// Draw samples as PNG or SVG
    Plot(PlotArgs),
    /// Run a job file once
    Run(RunArgs),
    /// Serve a store over the EDB protocol: clients of MAST work unchanged
    Serve(ServeArgs),
    /// Look after a local archive
    Store(StoreArgs),
    /// Search the mnemonic dictionary
    Search(SearchArgs),
}

/// The range of names that bring none, and a file of more.
#[derive(Debug, Args)]
pub(crate) struct RangeArgs {
    /// Start of the range of names that bring none
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// End of that range [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "start")]
    pub(crate) stop: Option<String>,
    /// File of `mnemonic,start,stop` lines
    #[arg(short, long = "query", value_name = "FILE")]
    pub(crate) query: Option<PathBuf>,
}

/// What is selected.
#[derive(Debug, Args)]
pub(crate) struct SelectionArgs {
    /// Mnemonics: `MNEMONIC@START/STOP`, or names and patterns (`SA_ZADUCMD?`) over --start/--stop
    #[arg(value_name = "MNEMONIC")]
    pub(crate) terms: Vec<String>,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// Mnemonics that are reported only when they change (repeat, or separate by commas)
    #[arg(long, value_name = "MNEMONIC", value_delimiter = ',')]
    pub(crate) change_only: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// File names `MNEMONIC-YYYYMMDDTHHMMSS-YYYYMMDDTHHMMSS.csv`, `MNEMONIC@START/STOP`, or names over --start/--stop;
    /// with nothing asked, SA_ZADUCMDX-20220601T000000-20220601T060000.csv
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// Folder for the files; made if it is missing
    #[arg(short, long, value_name = "DIR", default_value = "edb-data")]
    pub(crate) folder: PathBuf,
    /// Print something else instead of downloading
    #[arg(long, value_enum)]
    pub(crate) emit: Option<Emit>,
}

/// What `fetch` prints instead of downloading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// A bash script of curl commands for the same files; it takes the token from `MAST_API_TOKEN` when it runs
    Curl,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// File to write, by extension: parquet, csv, png, svg (repeat for several) [default: CSV on stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Align to these times: a step (`1s`), `union`, or `of:MNEMONIC`
    #[arg(long, value_name = "TIMES", conflicts_with = "resample")]
    pub(crate) align: Option<String>,
    /// Which sample stands at a time: hold, nearest, linear, exact
    #[arg(long, value_name = "METHOD", default_value = "hold", requires = "align")]
    pub(crate) method: String,
    /// How old or far a sample may be (`10s`), or `unlimited`; with linear, how far apart the two may be
    #[arg(long, value_name = "DURATION", requires = "align")]
    pub(crate) max_age: Option<String>,
    /// Resample to bins of this width (`1m`)
    #[arg(long, value_name = "DURATION")]
    pub(crate) resample: Option<String>,
    /// Statistics of the bins: count, mean, min, max, std, median, first, last [default: all]
    #[arg(long, value_name = "WORDS", value_delimiter = ',', requires = "resample")]
    pub(crate) statistics: Vec<String>,
    /// Rows of the bins: `long` (one for each mnemonic) or `wide`
    #[arg(long, value_name = "LAYOUT", default_value = "long", requires = "resample")]
    pub(crate) layout: String,
    /// Give empty bins a row of nulls
    #[arg(long, requires = "resample")]
    pub(crate) keep_empty: bool,
    /// A time that is one of the grid's, or the start of a bin [default: 1970-01-01]
    #[arg(long, value_name = "TIME")]
    pub(crate) origin: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Figure to write: png or svg
    #[arg(short, long, value_name = "FILE", default_value = "edb.png")]
    pub(crate) output: PathBuf,
    /// Line above the panels [default: mnemonics and range]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Width in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 1600)]
    pub(crate) width: u32,
    /// Height in pixels [default: what the panels need]
    #[arg(long, value_name = "PIXELS")]
    pub(crate) height: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Job file (TOML)
    #[arg(value_name = "JOB")]
    pub(crate) job: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Port; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 8642)]
    pub(crate) port: u16,
    /// Address to listen on: anything but loopback lets other machines read the store
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: String,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Take in EDB CSV files and `EngdbLocal` folders
    Import {
        /// Files and folders
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Say what is there
    Status {
        /// Mnemonics [default: all]
        #[arg(value_name = "MNEMONIC")]
        mnemonics: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Name or part of it, with `*` and `?`; or a word of descriptions
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_words_contradict_each_other_nowhere() {
        Options::command().debug_assert();
    }
}
