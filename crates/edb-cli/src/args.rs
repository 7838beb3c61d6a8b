//! The words of the command line. Reading them has no side effects.

mod plot;
mod tables;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use plot::PlotArgs;
pub(crate) use tables::{ExportArgs, FileArgs, PrepareArgs, StatisticArgs, StatsArgs, TableArgs};

const AFTER_HELP: &str = "\
Times: 2022-06-01T12:00:00Z (date only means 00:00:00 UTC), 20220601T120000, 2022:152:12:00:00, mjd:59731.5, now, -7d.
Bins and grids: any duration, or calendar months and years (1mo, 3mo, 1y).
Expressions: + - * / ^, = (==) != (<>) < <= > >= in (…), and (&&) or (||) not (!), texts in quotes;
abs sqrt exp log log10 sin cos tan asin acos atan atan2 floor ceil round min max, clip(x, low, high), if(condition, then, otherwise), null;
diff(x), rate(x), rolling_mean(x, 10s), rolling_median, rolling_std (of the window up to each sample); visit V…
Ranges are half-open, [start, stop). Durations: 500ms, 10s, 5m, 2h, 7d. Bytes: 500kB, 5MB, 2GiB.

Exit codes: 0 done · 1 unclassified · 2 usage or job file · 3 partial: some ranges failed, the rest was delivered ·
4 unknown mnemonic · 5 remote fault, retries spent · 6 authorisation · 7 data integrity · 8 stopped by --max-bytes or
--max-duration, resumable · 10 others keep changing the store · 11 local disk or store, or nothing of it known offline · 130/143 interrupted.

Environment: MAST_API_TOKEN (sent to MAST when set; most telemetry needs none), ENG_BASE_URL (the service), EDB_STORE (the store),
EDB_CACHE (the dictionary), HTTPS_PROXY and NO_PROXY, SSL_CERT_FILE.";

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
#[command(next_help_heading = "Source and store")]
pub(crate) struct Common {
    /// Where samples come from: `mast`, `sample` (synthetic, built in), `store` (offline), a service's URL, a file (parquet, csv, ecsv of
    /// `export`, raw CSV) or folder of files, or `-`, a table on stdin
    #[arg(long, global = true, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Folder of the local archive: asked first, and kept up to date (raw files of `fetch` do not go there) [default: `EDB_STORE`, or none]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Use no local archive, even if `EDB_STORE` names one
    #[arg(long, global = true, conflicts_with = "store")]
    pub(crate) no_store: bool,
    /// Ask the source for everything, known or not
    #[arg(long, visible_alias = "full-refresh", global = true)]
    pub(crate) refresh: bool,
    /// How long telemetry may still be arriving: what is younger is provisional in the store, and asked again when it has aged
    #[arg(long, global = true, value_name = "DURATION", default_value = "7d", value_parser = duration)]
    pub(crate) settle: Duration,
    /// Say what `fetch`, `sync`, `export`, `stats`, `plot`, `run` or `store remove` would do, and what that would take, and do nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) credentials: Credentials,
    #[command(flatten)]
    pub(crate) words: Words,
}

/// How much is asked of the service, and how patiently.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// Requests under way at once, at most; fewer where the service is struggling
    #[arg(long, global = true, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
    /// Requests begun each second, at most
    #[arg(long, global = true, value_name = "N", value_parser = positive)]
    pub(crate) rate: Option<f64>,
    /// Bytes each second, at most, over all requests (`500kB`, `5MB`, decompressed)
    #[arg(long, global = true, value_name = "BYTES", value_parser = size)]
    pub(crate) bwlimit: Option<u64>,
    /// Stop when about so many bytes have come (`2GB`, decompressed), and end with code 8: with a store, or with raw files, the
    /// next run goes on from there. Raw files that have been begun are finished
    #[arg(long, global = true, value_name = "BYTES", value_parser = size)]
    pub(crate) max_bytes: Option<u64>,
    /// Stop fetching after this time (`10m`), and end with code 8: with a store, or with raw files, the next run goes on from
    /// there
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_duration: Option<Duration>,
    /// How often to try a request at most; failures that will not pass are never tried again
    #[arg(long, global = true, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
    /// How long all tries of a request may take before no further one begins
    #[arg(long, global = true, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(crate) retry_max_time: Duration,
    /// How long a connection may take to be made
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) connect_timeout: Duration,
    /// How long the service may be silent
    #[arg(long, global = true, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    pub(crate) idle_timeout: Duration,
    /// Certificates (PEM) to trust beside the system's own
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Path between the service's host and `/api`, as `/jwst`
    #[arg(short, long, global = true, value_name = "PATH", default_value = "")]
    pub(crate) prefix: String,
    /// Folder in which the service's dictionary is kept for a week [default: `EDB_CACHE`, or the user's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

/// Where a token comes from. Most telemetry needs none.
#[derive(Debug, Args)]
#[command(next_help_heading = "Token (most telemetry needs none)")]
pub(crate) struct Credentials {
    /// File with the token; otherwise, for MAST and services on this machine, `MAST_API_TOKEN`, then `~/.mast_api_token`, and once
    /// a service refuses to answer without one, the entry of astroquery in the keyring, then a question on the terminal
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The token itself: other users of this machine can see it while the command runs, and so can the shell's history; a file is safer
    #[arg(long, global = true, value_name = "TOKEN", conflicts_with = "token_file")]
    pub(crate) token: Option<Secret>,
    /// Send no token, and look for none
    #[arg(long, global = true, conflicts_with_all = ["token", "token_file"])]
    pub(crate) no_token: bool,
}

/// A word of the command line that must not be printed.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What is said on the way, and at the end.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct Words {
    /// What to print when done
    #[arg(long, global = true, value_enum, default_value_t = SummaryForm::Text)]
    pub(crate) summary: SummaryForm,
    /// What to show on the way
    #[arg(long, global = true, value_enum, default_value_t = ProgressForm::Auto)]
    pub(crate) progress: ProgressForm,
    /// Form of what goes to stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Print nothing but data, warnings, errors and a JSON summary
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// What is shown on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressForm {
    /// Bars on a terminal, and nothing elsewhere
    Auto,
    /// A line for each mnemonic that is done
    Lines,
    /// Nothing
    Never,
}

/// The form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object on each line: messages, and an event for everything that happens
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    edb::parse_duration(text).map_err(|error| error.to_string())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.001);
    number.ok_or_else(|| "expected a number of at least 0.001".to_owned())
}

/// Reads a number of bytes, with a decimal or binary unit.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => f64::NAN,
    };
    let bytes = number.parse::<f64>().unwrap_or(f64::NAN) * factor;
    if bytes >= 1.0 { Ok(bytes as u64) } else { Err("expected bytes, as in `5MB` or `2GiB`".to_owned()) }
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
    /// Bring ranges into the store, or up to date there, and no more than is missing
    ///
    /// Names without a range go on from where the store ends, or from its first provisional sample; without names, all that the store
    /// holds is meant. Each answer is kept as it comes: a run that is killed is gone on with by the next.
    Sync(SyncArgs),
    /// Write a table: every sample, aligned, resampled, filtered, derived; Parquet, CSV, ECSV, FITS, `VOTable`, Arrow, JSON Lines
    Export(ExportArgs),
    /// Tell statistics of mnemonics: for their ranges, for bins, for blocks in which a condition holds; states, flaws, visits
    Stats(StatsArgs),
    /// Draw samples and statistics of them as PNG, SVG, or a page to zoom into
    Plot(PlotArgs),
    /// Run a job file once
    ///
    /// TOML: name, source, store, folder, start, stop, select, observations, instrument, products, margin, `change_only`, manifest, and for each `[[output]]` its
    /// file, format, partition, comments, dialect, and either align = { times, method, `max_age`, origin, exceptions, beside }, or resample = { every (a bin, range or block),
    /// statistics, layout, stamp, `keep_empty`, `min_count`, sigma, `max_iterations`, origin }, or table, limits; derive, where, pad, within, without,
    /// `ignore_edges`, `until_seen`, `complete_only`, borders, `max_gap`; for figures title, width, height and figure (a description, or the name of a file with one; see `examples/figures.md`). Each word means what the flag of its name does; paths
    /// are relative to where the command runs. `examples/quickstart.toml` is one.
    Run(RunArgs),
    /// Serve a store over the EDB protocol: clients of MAST work unchanged
    Serve(ServeArgs),
    /// Look after a local archive
    Store(StoreArgs),
    /// Search the mnemonic dictionary
    Search(SearchArgs),
    /// Say what the dictionary, and the store, know of mnemonics
    Info(InfoArgs),
    /// Look after the token
    Auth(AuthArgs),
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

/// Exposures whose times are ranges of names that bring none.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ranges from observations")]
pub(crate) struct DuringArgs {
    /// An observation, visit or exposure: `jw02733001001`, longer or shorter, or `2733:1` (repeat for several)
    #[arg(long, value_name = "ID")]
    pub(crate) observation: Vec<String>,
    /// A visit: `V02733001001`, or `2733:1:1` (repeat for several)
    #[arg(long, value_name = "ID")]
    pub(crate) visit: Vec<String>,
    /// A program, whole: `2733` (repeat for several)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) program: Vec<String>,
    /// Only exposures of this instrument: fgs, miri, nircam, niriss, nirspec
    #[arg(long, value_name = "NAME")]
    pub(crate) instrument: Option<String>,
    /// A product, whose header says when it was exposed: a range for names that bring none (repeat for several)
    #[arg(long, value_name = "FITS")]
    pub(crate) during: Vec<PathBuf>,
    /// How much more time before and after each exposure
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) margin: Duration,
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
    // Last: its heading goes on to whatever follows.
    #[command(flatten)]
    pub(crate) during: DuringArgs,
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
    #[command(flatten)]
    pub(crate) during: DuringArgs,
}

/// What `fetch` prints instead of downloading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// A bash script of curl commands for the same files; it takes the token from `MAST_API_TOKEN` when it runs
    Curl,
}

#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Leave out what is younger than this (`2h`): telemetry of the last hours is still coming down
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) lag: Duration,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
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
    /// Write what is there as files that `import` reads, and the service's other clients too
    Export {
        #[command(flatten)]
        held: HeldArgs,
        /// Form of the files
        #[arg(long, value_enum, default_value_t = RawFileForm::Csv)]
        form: RawFileForm,
        /// Folder for the files; made if it is missing
        #[arg(short, long, value_name = "DIR", default_value = "edb-data")]
        folder: PathBuf,
    },
    /// Say what is there: coverage, holes, age, size, what is provisional
    Status {
        /// Mnemonics and patterns [default: all]
        #[arg(value_name = "MNEMONIC")]
        mnemonics: Vec<String>,
        /// Draw what is known, and when: png or svg
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Read everything again, and compare it with its checksums: code 7 if anything is damaged
    Verify {
        /// Mnemonics and patterns [default: all]
        #[arg(value_name = "MNEMONIC")]
        mnemonics: Vec<String>,
        /// Set damaged segments aside, so that their ranges are fetched again, and remove what dead writers left
        #[arg(long)]
        repair: bool,
    },
    /// Merge small segments; no sample changes
    Compact {
        /// Mnemonics and patterns [default: all]
        #[arg(value_name = "MNEMONIC")]
        mnemonics: Vec<String>,
    },
    /// Remove mnemonics, wholly or in a range
    Remove {
        #[command(flatten)]
        held: HeldArgs,
    },
}

/// What a store holds, or a part of it.
#[derive(Debug, Args)]
pub(crate) struct HeldArgs {
    /// Mnemonics and patterns
    #[arg(value_name = "MNEMONIC", required = true)]
    pub(crate) mnemonics: Vec<String>,
    /// Start of the range [default: from the beginning]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// End of the range [default: to the end]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) stop: Option<String>,
}

/// Forms of files that `import` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RawFileForm {
    /// The service's CSV, a file for each range that is known, brackets included
    Csv,
    /// JSON of the pipeline's `EngdbLocal`, a file for each mnemonic, to the millisecond
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Name or part of it, with `*` and `?`; or a word of descriptions
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: String,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Mnemonics
    #[arg(value_name = "MNEMONIC", required = true)]
    pub(crate) mnemonics: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    pub(crate) command: AuthCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// Say which token would be used, and whether the service knows it
    Check,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("7", 7), ("500kB", 500_000), ("5 MB", 5_000_000), ("1.5g", 1_500_000_000), ("2MiB", 2_097_152)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "-1", "5 apples", "0", "1e9"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(positive("0").is_err() && positive("nan").is_err() && positive("2.5") == Ok(2.5));
    }

    #[test]
    fn a_token_on_the_command_line_is_not_printed() {
        let options = Options::try_parse_from(["edb", "search", "x", "--token", "canary"]).unwrap();
        assert!(!format!("{options:?}").contains("canary"));
    }

    #[test]
    fn the_words_contradict_each_other_nowhere() {
        Options::command().debug_assert();
    }
}
