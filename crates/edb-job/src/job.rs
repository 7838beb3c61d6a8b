//! What to select, and what to make of it.

use std::path::PathBuf;

use edb::export::{FileOptions, PartitionKey};
use edb::frame::{AlignOptions, FlawOptions, IntervalOptions, Layout, Preparation, ResampleOptions};
use edb::{
    Archive, Coverage, Dictionary, During, Error, Exposures, Instant, Mnemonic, Notice, Request, Result,
    Selection, Term, TimeRange,
};

use crate::destination::Destination;
use crate::figure::{Figure, PanelPlan};

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is called in its report.
    pub name: String,
    /// The source it asks for: `mast`, `sample`, `store` or a URL; the user may ask for another.
    pub source: Option<String>,
    /// The store it asks for.
    pub store: Option<PathBuf>,
    /// What is selected.
    pub selection: Selection,
    /// Exposures whose times are ranges of the words that bring none.
    pub during: During,
    /// Mnemonics that are stated to be change-only.
    pub change_only: Vec<Mnemonic>,
    /// What is made of it.
    pub outputs: Vec<Output>,
    /// The file that says what was asked, what came of it, and what the files are.
    pub manifest: Option<PathBuf>,
    /// What was asked, in the words of whoever asked, as pairs: for the manifest.
    pub asked: Vec<(String, String)>,
}

/// What a job's selection comes to.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// What is asked.
    pub requests: Vec<Request>,
    /// The mnemonics that are asked for themselves; the others only serve conditions and derived quantities.
    pub wanted: Vec<Mnemonic>,
    /// The exposures that ranges were taken from.
    pub exposures: Exposures,
    /// Facts about exposures and the dictionary.
    pub notices: Vec<Notice>,
}

impl Job {
    /// The mnemonics that are needed beside those that are selected.
    pub(crate) fn needs(&self) -> Result<Vec<Mnemonic>> {
        let mut needs = Vec::new();
        for output in &self.outputs {
            let of_shape = match &output.shape {
                Shape::Table(shape, _) => {
                    shape.needs().iter().map(|name| Mnemonic::new(name)).collect::<Result<Vec<_>>>()?
                }
                Shape::ServiceCsv => Vec::new(),
                Shape::Figure(figure) => figure.panels.iter().flat_map(PanelPlan::needs).collect(),
            };
            for name in output.preparation.needs().into_iter().chain(of_shape) {
                if !needs.contains(&name) {
                    needs.push(name);
                }
            }
        }
        Ok(needs)
    }

    /// Resolves the selection: searches for its exposures, looks its patterns up, and adds what is needed beside it, in the common ranges
    /// or in those of the words.
    ///
    /// # Errors
    /// Those of [`During::exposures`], [`Archive::dictionary`] and [`Selection::resolve`].
    pub async fn resolve(&self, archive: &Archive, now: Instant) -> Result<Resolved> {
        let mut resolved = Resolved::default();
        let mut selection = self.selection.clone();
        if !self.during.is_empty() {
            let found = self.during.exposures(archive.source()).await?;
            resolved.exposures = found.value;
            resolved.notices = found.notices;
            selection.ranges.extend(resolved.exposures.ranges());
        }
        let dictionary = if selection.has_patterns() {
            let kept = archive.dictionary(now).await?;
            resolved.notices.extend(kept.notices);
            kept.dictionary
        } else {
            Dictionary::default()
        };
        let needs = self.needs()?;
        if !selection.terms.is_empty() || needs.is_empty() {
            resolved.requests = selection.resolve(&dictionary)?;
        }
        for request in &resolved.requests {
            if !resolved.wanted.contains(&request.mnemonic) {
                resolved.wanted.push(request.mnemonic.clone());
            }
        }
        for output in &self.outputs {
            output.preparation.check(&resolved.wanted)?;
            if let Shape::Figure(figure) = &output.shape {
                figure.panels.iter().try_for_each(|panel| panel.check(&resolved.wanted))?;
            }
        }
        let of_words = resolved.requests.iter().map(|request| request.range);
        let ranges: Coverage = of_words.chain(selection.ranges.iter().copied()).collect();
        for mnemonic in needs {
            if ranges.is_empty() {
                return Err(Error::usage(format!("no range is given for {mnemonic}"))
                    .with_hint("add `--start` and `--stop`, or an observation"));
            }
            if !resolved.wanted.contains(&mnemonic) {
                let ask = |range: &TimeRange| Request { mnemonic: mnemonic.clone(), range: *range };
                resolved.requests.extend(ranges.ranges().iter().map(ask));
            }
        }
        Ok(resolved)
    }

    /// Has names without a range take all that the archive's store has of them, and nothing named all that it has: for archives that are
    /// files, of which one wants what is in them.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Disk`] from the store.
    pub fn select_what_is_there(&mut self, archive: &Archive) -> Result<()> {
        let known = archive.store().mnemonics()?;
        if !self.selection.ranges.is_empty() || !self.during.is_empty() {
            if self.selection.terms.is_empty() && self.needs()?.is_empty() {
                self.selection.terms.extend(known.iter().map(|name| Term::Name(name.to_string())));
            }
            return Ok(());
        }
        let terms = std::mem::take(&mut self.selection.terms);
        let all = if terms.is_empty() && self.needs()?.is_empty() {
            vec![Term::Name("*".to_owned())]
        } else {
            terms
        };
        for term in all {
            let Term::Name(pattern) = &term else {
                self.selection.terms.push(term);
                continue;
            };
            let before = self.selection.terms.len();
            for mnemonic in known.iter().filter(|name| name.matches(pattern)) {
                let hull = archive.store().known(mnemonic)?.ranges().iter().copied().reduce(TimeRange::hull);
                let whole = |range| Term::Whole(Request { mnemonic: mnemonic.clone(), range });
                self.selection.terms.extend(hull.map(whole));
            }
            if self.selection.terms.len() == before {
                self.selection.terms.push(term);
            }
        }
        // What is only needed has no range of its own.
        let hulls = known.iter().map(|name| archive.store().known(name));
        let hulls = hulls.collect::<Result<Vec<_>>>()?;
        let hull = hulls.iter().flat_map(Coverage::ranges).copied().reduce(TimeRange::hull);
        self.selection.ranges.extend(hull);
        Ok(())
    }

    /// Whether what is read of a series can be forgotten once it is in the tables, so that memory is bounded.
    pub(crate) fn is_streamed(&self) -> bool {
        self.outputs.iter().all(Output::is_streamed)
    }
}

impl Output {
    /// What is done to series before, for the whole of it or for a panel.
    pub(crate) fn preparations(&self) -> Vec<&Preparation> {
        let mut all = vec![&self.preparation];
        if let Shape::Figure(figure) = &self.shape {
            all.extend(figure.panels.iter().map(|panel| &panel.preparation));
        }
        all
    }

    fn is_streamed(&self) -> bool {
        let Preparation { derive, edges, .. } = &self.preparation;
        match &self.shape {
            Shape::Table(TableShape::Resampled(_), _) => derive.is_empty(),
            // The first and the last samples of a block may lie in two windows.
            Shape::Table(TableShape::Long, _) => {
                derive.is_empty() && *edges == (0, 0) && !matches!(self.destination, Destination::Shown)
            }
            Shape::ServiceCsv => true,
            Shape::Table(..) | Shape::Figure(_) => false,
        }
    }
}

/// One table or figure that a job makes.
#[derive(Debug, Clone)]
pub struct Output {
    /// Where it goes.
    pub destination: Destination,
    /// What is done to the series before.
    pub preparation: Preparation,
    /// What is in it.
    pub shape: Shape,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A table.
    Table(TableShape, FileOptions),
    /// The samples of one mnemonic as the service sends them, brackets included.
    ServiceCsv,
    /// A figure, whose panels say themselves what is done before.
    Figure(Box<Figure>),
}

impl Shape {
    /// What it is called.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Table(shape, _) => shape.words(),
            Self::ServiceCsv => "as the service sends it",
            Self::Figure(_) => "figure",
        }
    }
}

/// What the rows of a table are.
#[derive(Debug, Clone)]
pub enum TableShape {
    /// Every sample.
    Long,
    /// One for each time.
    Aligned(AlignOptions),
    /// One for each bin.
    Resampled(ResampleOptions),
    /// One for each interval in which a value stood.
    States(IntervalOptions),
    /// One for each state.
    Duty(IntervalOptions),
    /// One for each interval in which the condition holds.
    Intervals,
    /// One for each flaw.
    Flaws(FlawOptions),
    /// One for each mnemonic.
    Cadences,
    /// One for each visit of the event log.
    Visits,
    /// One for each activity of the event log.
    Activities,
    /// One for each message of the event log.
    Messages,
}

impl TableShape {
    /// What it is called.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Long => "every sample",
            Self::Aligned(_) => "aligned",
            Self::Resampled(_) => "resampled",
            Self::States(_) => "states",
            Self::Duty(_) => "time in states",
            Self::Intervals => "intervals",
            Self::Flaws(_) => "flaws",
            Self::Cadences => "cadences",
            Self::Visits => "visits",
            Self::Activities => "activities",
            Self::Messages => "messages",
        }
    }

    /// Whether its rows have what files are to be parted by.
    pub(crate) fn has(&self, key: PartitionKey) -> bool {
        let is_wide = matches!(self, Self::Aligned(_))
            || matches!(self, Self::Resampled(options) if options.layout == Layout::Wide);
        let is_of_log = matches!(self, Self::Visits | Self::Activities | Self::Messages | Self::Intervals);
        match key {
            PartitionKey::Mnemonic => !is_wide && !is_of_log,
            _ => !matches!(self, Self::Duty(_) | Self::Cadences),
        }
    }

    /// The mnemonics that it is made of, whatever is selected.
    fn needs(&self) -> &'static [&'static str] {
        match self {
            Self::Visits | Self::Activities => &["ICTM_EVENT_MSG"],
            Self::Messages => &["ICTM_EVENT_MSG", "ICTM_EVENT_MSG_ID", "ICTM_EVENT_MSG_SRC"],
            _ => &[],
        }
    }

    /// Reads the word of a table that needs no more than `max_gap`: `samples`, `states`, `duty`, `intervals`, `flaws`, `cadences`, `visits`, `activities`,
    /// `messages`.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Usage`].
    pub fn parse(word: &str, intervals: IntervalOptions, flaws: FlawOptions) -> Result<Self> {
        Ok(match word {
            "samples" => Self::Long,
            "states" => Self::States(intervals),
            "duty" => Self::Duty(intervals),
            "intervals" => Self::Intervals,
            "flaws" => Self::Flaws(flaws),
            "cadences" => Self::Cadences,
            "visits" => Self::Visits,
            "activities" => Self::Activities,
            "messages" => Self::Messages,
            _ => {
                return Err(Error::usage(format!("there is no table `{word}`")).with_hint(
                    "use `samples`, `states`, `duty`, `intervals`, `flaws`, `cadences`, `visits`, `activities` or `messages`",
                ));
            }
        })
    }
}
