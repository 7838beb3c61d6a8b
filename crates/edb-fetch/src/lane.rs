//! What is still to be asked about one mnemonic.

use edb_core::{Answer, Coverage, End, Error, Instant, Mnemonic, Request, Result, TimeRange};

use crate::plan::{Rate, SHORTEST_US, Sizing};

/// Answers in a row that were not whole before a mnemonic is given up: a service that caps its rows is walked through, one
/// that cuts everything is not.
const MOST_CUTS: usize = 1000;
/// How often the answers about an end may contradict each other.
const MOST_CONTRADICTIONS: usize = 3;
/// How often a mnemonic is asked for less because it was too slow, with nothing answered meanwhile.
const MOST_SPLITS: usize = 4;

/// One question to the service: part of what is requested of one mnemonic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What is wanted; the service is asked for the whole seconds around it.
    pub wanted: Request,
    /// Whether this asks again about an answer that ended without its trailing bracket: the time of its last row, or the
    /// beginning of time if it had none.
    pub check: Option<Instant>,
}

impl Window {
    /// What the service is asked for.
    pub fn asked(&self) -> TimeRange {
        self.wanted.range.to_whole_seconds()
    }
}

/// What came of a window, as far as the lane needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    proven: Option<TimeRange>,
    end: End,
    /// The first row, if there is none before the range: the archive begins there.
    begins: Option<Instant>,
    last: Instant,
    rate: Option<Rate>,
    /// Samples among what was wanted.
    pub(crate) rows: usize,
}

impl Told {
    /// Reads `answer`, and accepts its end where it agrees with the answer that `window` checks.
    pub(crate) fn of(window: &Window, mut answer: Answer) -> Result<(Self, Answer)> {
        let last = answer.last.unwrap_or(Instant::MIN);
        if answer.end == End::Open && window.check == Some(last) {
            answer = answer.ended()?;
        }
        let wanted = answer.proven.and_then(|proven| proven.intersect(window.wanted.range));
        let rows = wanted.map_or(0, |wanted| answer.samples.rows_in(wanted).len());
        let first = answer.proven.map(TimeRange::start).or(answer.trailing.as_ref().map(|row| row.time));
        let begins = first.filter(|_| answer.leading.is_none());
        let told =
            Self { proven: answer.proven, end: answer.end, begins, last, rate: Rate::of(&answer), rows };
        Ok((told, answer))
    }
}

/// Where the archive seems to end: the last row of an answer without trailing bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Horizon {
    /// Nothing of the kind was seen.
    None,
    /// One answer ended there. Beyond, nothing is asked but whether it is true.
    Suspected(Instant),
    /// That is being asked.
    Checking(Instant),
    /// Two answers agree: as of now, there is nothing beyond.
    Confirmed(Instant),
}

/// Everything that is requested of one mnemonic, and what has become of it.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) mnemonic: Mnemonic,
    requested: Coverage,
    proven: Coverage,
    /// Given up.
    lost: Coverage,
    taken: Vec<TimeRange>,
    /// Nothing before this is in the archive, as far as its answers tell.
    begin: Instant,
    horizon: Horizon,
    pub(crate) sizing: Sizing,
    cuts: usize,
    contradictions: usize,
    splits: usize,
    /// How often an answer turned out to have been cut although nobody said so.
    pub(crate) truncated: usize,
    /// Answers.
    pub(crate) answers: usize,
    /// Samples, brackets not counted.
    pub(crate) rows: usize,
}

impl Lane {
    pub(crate) fn new(mnemonic: Mnemonic, known: Option<Rate>) -> Self {
        Self {
            mnemonic,
            requested: Coverage::new(),
            proven: Coverage::new(),
            lost: Coverage::new(),
            taken: Vec::new(),
            begin: Instant::MIN,
            horizon: Horizon::None,
            sizing: Sizing::new(known),
            cuts: 0,
            contradictions: 0,
            splits: 0,
            truncated: 0,
            answers: 0,
            rows: 0,
        }
    }

    pub(crate) fn request(&mut self, range: TimeRange) {
        self.requested.insert(range);
    }

    /// What nobody has asked for yet and the archive may hold.
    pub(crate) fn open(&self) -> Coverage {
        let mut settled: Coverage = self.proven.clone();
        self.lost.ranges().iter().chain(&self.taken).for_each(|range| settled.insert(*range));
        if let Some(before) = TimeRange::checked(Instant::MIN, self.begin) {
            settled.insert(before);
        }
        if let Horizon::Confirmed(end) = self.horizon {
            settled.insert(beyond(end));
        }
        self.requested.without(&settled)
    }

    /// Length of all that is requested.
    pub(crate) fn span_us(&self) -> i64 {
        self.requested.micros()
    }

    /// Length of what is neither settled nor given up.
    pub(crate) fn left_us(&self) -> i64 {
        let taken: Coverage = self.taken.iter().copied().collect();
        self.open().micros() + taken.micros()
    }

    /// The archive's end as of now, where something beyond it was requested; the beginning of time if the archive has no
    /// sample at all.
    pub(crate) fn end(&self) -> Option<Instant> {
        match self.horizon {
            Horizon::Confirmed(end)
                if self.requested.ranges().iter().any(|range| range.stop() > end.plus_micros(1)) =>
            {
                Some(end)
            }
            _ => None,
        }
    }

    /// The next question, if there is one that need not wait for an answer under way. `Err` if the budget has no room for it.
    pub(crate) fn next(&mut self, places: usize, budget_rows: f64) -> Result<Option<Window>, OverBudget> {
        // What a probe will tell is worth waiting for: other mnemonics take the places meanwhile.
        if self.sizing.rate().is_none() && !self.taken.is_empty() {
            return Ok(None);
        }
        let horizon = match self.horizon {
            Horizon::Suspected(end) | Horizon::Checking(end) => end,
            Horizon::None | Horizon::Confirmed(_) => Instant::MAX,
        };
        for gap in self.open().ranges() {
            // What lies before the horizon is asked as ever.
            let (range, check) = match TimeRange::checked(gap.start(), gap.stop().min(horizon)) {
                Some(before) => (before, None),
                None if matches!(self.horizon, Horizon::Suspected(_)) => (*gap, Some(horizon)),
                None => continue,
            };
            let window = self.sizing.window(range, places, budget_rows).ok_or(OverBudget)?;
            self.taken.push(window);
            if check.is_some() {
                self.horizon = Horizon::Checking(horizon);
            }
            return Ok(Some(Window {
                wanted: Request { mnemonic: self.mnemonic.clone(), range: window },
                check,
            }));
        }
        Ok(None)
    }

    fn give_back(&mut self, window: &Window) {
        self.taken.retain(|range| *range != window.wanted.range);
        if let (Some(check), Horizon::Checking(end)) = (window.check, self.horizon)
            && check == end
        {
            self.horizon = Horizon::Suspected(end);
        }
    }

    /// Takes an answer in.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if the service's answers lead nowhere: the rest of the mnemonic is given up.
    pub(crate) fn answered(&mut self, window: &Window, told: &Told) -> Result<()> {
        self.give_back(window);
        self.answers += 1;
        self.rows += told.rows;
        self.splits = 0;
        // An answer that lacks its head although something earlier is known was damaged: what it lacks is asked for again.
        let earliest = self.proven.ranges().first().map_or(Instant::MAX, |known| known.start());
        match told.begins {
            Some(begins) if begins <= earliest => self.begin = begins,
            Some(_) => self.cuts += 1,
            None => {}
        }
        if let Some(proven) = told.proven {
            self.proven.insert(proven);
            if proven.start() < self.begin {
                self.begin = Instant::MIN;
            }
        }
        if let Some(rate) = told.rate {
            self.sizing.learn(rate);
        }
        let length_us = window.wanted.range.micros();
        let reached_us = told.last.as_micros() - window.wanted.range.start().as_micros();
        match self.horizon {
            // Something lies beyond: the answer that ended there had been cut.
            Horizon::Suspected(end) | Horizon::Checking(end) if told.last > end => {
                self.truncated += 1;
                self.horizon = Horizon::None;
            }
            // The archive has grown.
            Horizon::Confirmed(end) if told.last > end => self.horizon = Horizon::None,
            _ => {}
        }
        match (told.end, self.horizon) {
            (End::Closed, _) => self.cuts = 0,
            (End::Cut, _) => {
                self.cuts += 1;
                self.sizing.shorten(reached_us / 10 * 9);
            }
            (End::Open, Horizon::Suspected(end)) if window.check == Some(end) && told.last == end => {
                self.horizon = Horizon::Confirmed(end);
                self.cuts = 0;
            }
            // It ends even earlier than the one it was to check.
            (End::Open, Horizon::Suspected(end)) if window.check == Some(end) => self.contradictions += 1,
            (End::Open, Horizon::Suspected(end) | Horizon::Checking(end) | Horizon::Confirmed(end))
                if told.last == end => {}
            (End::Open, Horizon::None) => {
                self.cuts += 1;
                // If this was a cut, so much is what the service sends.
                if self.truncated > 0 && reached_us > 0 {
                    self.sizing.shorten(reached_us / 10 * 9);
                }
                self.horizon = Horizon::Suspected(told.last);
            }
            // There is something beyond this end, as another answer knows: it was cut.
            (End::Open, _) => {
                self.cuts += 1;
                self.truncated += 1;
                self.sizing.shorten(length_us / 2);
            }
        }
        if self.cuts > MOST_CUTS || self.contradictions > MOST_CONTRADICTIONS {
            return Err(Error::integrity(format!(
                "the service cuts its answers about {}: {} in a row were not whole",
                self.mnemonic, self.cuts
            ))
            .with_hint("try again later, or ask for shorter ranges"));
        }
        Ok(())
    }

    /// Takes in that a window took too long; whether asking for less may help.
    pub(crate) fn split(&mut self, window: &Window) -> bool {
        self.give_back(window);
        let length_us = window.wanted.range.micros();
        self.splits += 1;
        self.sizing.shorten(length_us / 2);
        self.splits <= MOST_SPLITS && length_us > SHORTEST_US
    }

    /// Gives a window up.
    pub(crate) fn failed(&mut self, window: &Window) {
        self.give_back(window);
        self.lost.insert(window.wanted.range);
    }

    /// Forgets what is under way: nothing will come of it.
    pub(crate) fn drop_taken(&mut self) {
        self.taken.clear();
    }

    /// Gives up everything that is left, and says what it was.
    pub(crate) fn give_up(&mut self) -> Vec<TimeRange> {
        let left = self.open();
        left.ranges().iter().for_each(|range| self.lost.insert(*range));
        left.ranges().to_vec()
    }
}

/// The next window does not fit into what the user allows.
#[derive(Debug)]
pub(crate) struct OverBudget;

/// All time after `end`.
fn beyond(end: Instant) -> TimeRange {
    let start = end.plus_micros(1).min(Instant::MAX.plus_micros(-1));
    TimeRange::checked(start, Instant::MAX)
        .unwrap_or_else(|| unreachable!("the start was kept below the end of time"))
}
