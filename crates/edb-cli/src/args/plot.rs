//! The flags of `plot`.

use std::path::PathBuf;

use clap::Args;

use super::{PrepareArgs, SelectionArgs};

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// Figure to write: png, svg, or html, a page to zoom into (repeat for several) [default: edb.png]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// What to draw: time, deviation (from bins or the nominal value), histogram, phase (the second mnemonic over the first)
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub(crate) show: Vec<String>,
    /// Which mnemonics share a panel: those of one `unit`, or none (`mnemonic`) [default: unit]
    #[arg(long, value_name = "WORD")]
    pub(crate) by: Option<String>,
    /// Logarithmic value axes
    #[arg(long)]
    pub(crate) log: bool,
    /// Draw statistics of bins of this width (`1m`, `1d`, `1mo`) in place of samples
    #[arg(long, value_name = "DURATION")]
    pub(crate) resample: Option<String>,
    /// A time that is the start of a bin [default: 1970-01-01]
    #[arg(long, value_name = "TIME", requires = "resample")]
    pub(crate) origin: Option<String>,
    /// The statistic that is drawn as a line [default: mean]
    #[arg(long, value_name = "WORD", requires = "resample")]
    pub(crate) line: Option<String>,
    /// What lies around it: range (least to greatest value), std, none [default: range]
    #[arg(long, value_name = "WORD", requires = "resample")]
    pub(crate) envelope: Option<String>,
    /// Draw the samples, too
    #[arg(long, requires = "resample")]
    pub(crate) samples: bool,
    /// Where values should be: `28`, or of one mnemonic `SE_ZBUSVLT=28` (repeat for several)
    #[arg(long, value_name = "[MNEMONIC=]VALUE", allow_hyphen_values = true)]
    pub(crate) nominal: Vec<String>,
    /// Lowest and highest value that cause no worry: `26..32`, or of one mnemonic `SE_ZBUSVLT=26..32`, either side open (repeat for several)
    #[arg(long, value_name = "[MNEMONIC=]LOW..HIGH", allow_hyphen_values = true)]
    pub(crate) yellow: Vec<String>,
    /// Lowest and highest value that are allowed, likewise
    #[arg(long, value_name = "[MNEMONIC=]LOW..HIGH", allow_hyphen_values = true)]
    pub(crate) red: Vec<String>,
    /// Figure description (TOML): what flags say here, panel by panel (`examples/figures.md`). Where a flag and what it says of all panels
    /// (`[default]`) differ, the flag holds
    #[arg(long, value_name = "FILE", conflicts_with = "monitor")]
    pub(crate) figure: Option<PathBuf>,
    /// Configuration of the JWQL monitor (JSON) as a figure description: a panel for each entry
    #[arg(long, value_name = "FILE")]
    pub(crate) monitor: Option<PathBuf>,
    /// Only entries of the monitor of this category, mnemonic or kind of averaging, as `Power` or `daily_means` (repeat for several)
    #[arg(long, value_name = "WORD", requires = "monitor")]
    pub(crate) entry: Vec<String>,
    #[command(flatten)]
    pub(crate) looks: LookArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) prepare: PrepareArgs,
}

/// How a figure looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Looks")]
pub(crate) struct LookArgs {
    /// What stands above the panels, beside the range [default: mnemonics]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Width in pixels; with --dpi other than 96 a PNG has DPI/96 as many [default: 1600]
    #[arg(long, value_name = "PIXELS")]
    pub(crate) width: Option<u32>,
    /// Height, likewise [default: what the panels need]
    #[arg(long, value_name = "PIXELS")]
    pub(crate) height: Option<u32>,
    /// Pixels of a PNG in an inch: 300 for print, with text and lines as much larger [default: 96]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) dpi: Option<f64>,
    /// light or dark [default: light; a page is as its reader's system is set]
    #[arg(long, value_name = "WORD")]
    pub(crate) theme: Option<String>,
    /// How time is written: utc, doy (year:day of year), mjd [default: utc]
    #[arg(long, value_name = "WORD")]
    pub(crate) clock: Option<String>,
    /// Which samples are drawn where there are more than pixels: m4 (no spike is lost), lttb (smooth; spikes may be) [default: m4]
    #[arg(long, value_name = "WORD")]
    pub(crate) downsample: Option<String>,
    /// How many samples a page holds: of more than these it has the first, lowest, highest and last of short intervals [default: 200000]
    #[arg(long, value_name = "N")]
    pub(crate) page_points: Option<usize>,
}
