//! What is still to be asked about one mnemonic.

use std::sync::Arc;

use edb_core::{
    Answer, Coverage, End, Error, Instant, MICROS_PER_SECOND, Mnemonic, Request, Result, TimeRange,
};

use crate::plan::{Rate, SHORTEST_US, Sizing};

/// Answers in a row that were not whole before a mnemonic is given up: a service that caps its rows is walked through, one
/// that cuts everything is not.
const MOST_CUTS: usize = 1000;
/// The same of answers that told nothing new.
const MOST_FRUITLESS: usize = 8;
/// How often the answers about an end may contradict each other.
const MOST_CONTRADICTIONS: usize = 3;
/// How often a mnemonic is asked for less because it was too slow, with nothing answered meanwhile.
const MOST_SPLITS: usize = 4;

/// One question to the service: part of what is requested of one mnemonic.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// What is wanted; the service is asked for the whole seconds around it.
    pub wanted: Request,
    /// Whether this asks again about an answer that ended without its trailing bracket, or about the end that was found
    /// so: the time of its last row, or the beginning of time if it had none.
    pub check: Option<Instant>,
    /// How many rows are known to have that time: an answer with fewer of them does not agree.
    pub(crate) twins: usize,
    /// The answer that is checked, where the same question would have the same answer: another one is asked.
    thin: Option<Arc<Answer>>,
}

impl Window {
    /// What the service is asked for.
    pub fn asked(&self) -> TimeRange {
        self.wanted.range.to_whole_seconds()
    }
}

/// What came of a window, as far as the lane needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    proven: Option<TimeRange>,
    end: End,
    last: Instant,
    /// The answer itself, if asking again from its last row on would be the same question: nothing lies before the second of
    /// that row but a bracket.
    thin: Option<Arc<Answer>>,
    /// Rows at the end that share the time of the last one.
    twins: usize,
    /// Whether it agrees with the end that its window checks.
    is_agreed: bool,
    /// The first row, if no bracket came before it.
    begin: Option<Instant>,
    rate: Option<Rate>,
    /// Samples among what was wanted.
    pub(crate) rows: usize,
    /// Times of the samples in the seconds around what was wanted, which are proven too.
    around: Vec<i64>,
}

impl Told {
    /// Reads `answer`, and accepts its end where it agrees with the answer that `window` checks.
    pub(crate) fn of(window: &Window, mut answer: Answer) -> Result<(Self, Answer)> {
        let (last, end) = (answer.last.unwrap_or(Instant::MIN), answer.end);
        let thin = Some(&answer).filter(|answer| end == End::Open && is_thin(answer)).cloned().map(Arc::new);
        // A lone leading bracket says where the archive ends, but not with how many rows.
        let twins = answer.rows_at_end();
        let mut is_agreed =
            end == End::Open && window.check == Some(last) && (twins == 0 || twins >= window.twins);
        if let (true, Some(first)) = (is_agreed, &window.thin) {
            // The bracket is the last of the rows at the end: if it is also the last one that had come, all have.
            is_agreed = first.last_row() == answer.last_row();
            if is_agreed {
                answer = Answer::clone(first);
            }
        }
        if is_agreed {
            answer = answer.ended()?;
        }
        let wanted = answer.proven.and_then(|proven| proven.intersect(window.wanted.range));
        let rows = wanted.map_or(0..0, |wanted| answer.samples.rows_in(wanted));
        let times = answer.samples.times();
        let around = [&times[..rows.start], &times[rows.end..]].concat();
        let first = answer.proven.map(TimeRange::start).or(answer.trailing.as_ref().map(|row| row.time));
        let begin = first.filter(|_| answer.leading.is_none());
        let (proven, rate, rows) = (answer.proven, Rate::of(&answer), rows.len());
        Ok((Self { proven, end, last, thin, twins, is_agreed, begin, rate, rows, around }, answer))
    }
}

/// Whether asking again from the last row of an open answer on would be the same question.
fn is_thin(answer: &Answer) -> bool {
    let last_second = answer.last.unwrap_or(Instant::MIN).floor_to_second().as_micros();
    answer.samples.times().first().is_none_or(|first| *first >= last_second)
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
    /// The archive begins there, as of now: an answer had no bracket before this row.
    begin: Option<Instant>,
    horizon: Horizon,
    /// The answer that ended at the horizon, if it is checked beyond it: see [`Told::thin`].
    thin: Option<Arc<Answer>>,
    /// Rows that are known to share the time of the horizon.
    twins: usize,
    pub(crate) sizing: Sizing,
    cuts: usize,
    fruitless: usize,
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
            begin: None,
            horizon: Horizon::None,
            thin: None,
            twins: 0,
            sizing: Sizing::new(known),
            cuts: 0,
            fruitless: 0,
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
        if let Horizon::Confirmed(end) = self.horizon {
            settled.insert(beyond(end));
        }
        self.begin
            .and_then(|begin| TimeRange::checked(Instant::MIN, begin))
            .into_iter()
            .for_each(|before| settled.insert(before));
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

    /// The archive's beginning as of now, where something before it was requested.
    pub(crate) fn begin(&self) -> Option<Instant> {
        self.begin.filter(|begin| self.requested.ranges().first().is_some_and(|range| range.start() < *begin))
    }

    /// The next question, if there is one that need not wait for an answer under way. `Err` if the budget has no room for it.
    pub(crate) fn next(&mut self, places: usize, budget_rows: f64) -> Result<Option<Window>, OverBudget> {
        // Until something is known of a mnemonic, nothing is asked but one probe: it may prove all the rest.
        if self.sizing.rate().is_none() && !self.taken.is_empty() {
            return Ok(None);
        }
        let (horizon, known_end) = match self.horizon {
            Horizon::Suspected(end) | Horizon::Checking(end) => (end, None),
            Horizon::None => (Instant::MAX, None),
            Horizon::Confirmed(end) => (Instant::MAX, Some(end)),
        };
        let open = self.open();
        for gap in open.ranges() {
            // What lies before the horizon is asked as ever.
            let (range, check) = match TimeRange::checked(gap.start(), gap.stop().min(horizon)) {
                Some(before) => (before, known_end),
                // Another answer may have more to say about it.
                None if self.thin.is_some() && self.taken.iter().any(|taken| taken.start() <= horizon) => {
                    continue;
                }
                None if matches!(self.horizon, Horizon::Suspected(_)) => {
                    let far_end = open.ranges().last().filter(|_| self.thin.is_some());
                    (far_end.map_or(*gap, |far_end| far_second(*far_end, horizon)), Some(horizon))
                }
                None => continue,
            };
            let window = self.sizing.window(range, places, budget_rows).ok_or(OverBudget)?;
            self.taken.push(window);
            if let (Some(_), Horizon::Suspected(end)) = (check, self.horizon) {
                self.horizon = Horizon::Checking(end);
            }
            return Ok(Some(Window {
                wanted: Request { mnemonic: self.mnemonic.clone(), range: window },
                check,
                twins: self.twins,
                thin: self.thin.clone().filter(|_| check.is_some() && check != known_end),
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

    /// Takes in where the archive begins, or that it begins earlier than another answer had it.
    fn learn_begin(&mut self, told: &Told) {
        let first = told.proven.map(TimeRange::start);
        // An answer that lacks its head although something earlier is known was damaged: what it lacks is asked for again.
        let earliest = self.proven.ranges().first().map_or(Instant::MAX, |known| known.start());
        match (told.begin, self.begin) {
            (Some(found), known) if found <= earliest => {
                self.begin = Some(known.map_or(found, |known| known.min(found)));
            }
            (None, Some(known)) if first.is_some_and(|first| first < known) => self.begin = None,
            _ => {}
        }
    }

    /// Samples around what was wanted that are requested too, and that nobody has counted or will count: windows join on
    /// whole seconds, and the service's answers hold the second at which they stop.
    fn rows_around(&self, told: &Told) -> usize {
        let holds = |ranges: &[TimeRange], time: Instant| ranges.iter().any(|range| range.contains(time));
        let counts = |time: &&i64| {
            let time = Instant::from_micros(**time);
            holds(self.requested.ranges(), time)
                && !holds(self.proven.ranges(), time)
                && !holds(&self.taken, time)
        };
        told.around.iter().filter(counts).count()
    }

    /// Takes an answer in.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if the service's answers lead nowhere: the rest of the mnemonic is given up.
    pub(crate) fn answered(&mut self, window: &Window, told: &Told) -> Result<()> {
        self.give_back(window);
        self.answers += 1;
        self.rows += told.rows + self.rows_around(told);
        self.splits = 0;
        let known_us = self.proven.micros();
        if let Some(proven) = told.proven {
            self.proven.insert(proven);
        }
        let (begin, horizon) = (self.begin, self.horizon);
        self.learn_begin(told);
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
        let mut agrees = false;
        match (told.end, self.horizon) {
            (End::Closed, _) => {
                self.cuts = 0;
                self.sizing.ease();
            }
            (End::Cut, _) => {
                self.cuts += 1;
                self.sizing.shorten_for_now((reached_us / 10 * 9).max(length_us / 2));
            }
            (End::Open, Horizon::Suspected(end)) if window.check == Some(end) && told.is_agreed => {
                self.horizon = Horizon::Confirmed(end);
                self.cuts = 0;
            }
            // It ends even earlier than the one it was to check.
            (End::Open, Horizon::Suspected(end) | Horizon::Confirmed(end))
                if window.check == Some(end) && !told.is_agreed =>
            {
                // What the other question did not settle, the same one may.
                self.contradictions += usize::from(self.thin.take().is_none());
            }
            (End::Open, Horizon::Suspected(end) | Horizon::Checking(end) | Horizon::Confirmed(end))
                if told.last == end =>
            {
                agrees = true;
                self.thin = self.thin.take().filter(|_| told.thin.is_some());
                self.twins = self.twins.max(told.twins);
            }
            (End::Open, Horizon::None) => {
                self.cuts += 1;
                // If this was a cut, so much is what the service sends.
                if self.truncated > 0 && reached_us > 0 {
                    self.sizing.shorten(reached_us / 10 * 9);
                }
                self.horizon = Horizon::Suspected(told.last);
                self.thin.clone_from(&told.thin);
                self.twins = told.twins;
            }
            // There is something beyond this end, as another answer knows: it was cut.
            (End::Open, _) => {
                self.cuts += 1;
                self.truncated += 1;
                if window.check.is_none() {
                    self.sizing.shorten((length_us / 2).max(SHORTEST_US));
                }
            }
        }
        let is_news = self.proven.micros() > known_us || (self.begin, self.horizon) != (begin, horizon);
        let is_open = || !self.open().within(window.wanted.range).is_empty();
        self.fruitless = if !is_news && !agrees && is_open() { self.fruitless + 1 } else { 0 };
        if self.cuts > MOST_CUTS
            || self.fruitless > MOST_FRUITLESS
            || self.contradictions > MOST_CONTRADICTIONS
        {
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
        if window.check.is_some() || length_us <= SHORTEST_US {
            return false;
        }
        // Of several that were asked at once one tells enough.
        self.splits += usize::from(self.sizing.shorten_slow(length_us / 2));
        self.splits <= MOST_SPLITS
    }

    /// Gives a window up, and says what is lost with it: where it was to tell whether the archive ends, everything beyond.
    pub(crate) fn failed(&mut self, window: &Window) -> Vec<TimeRange> {
        self.give_back(window);
        let mut lost = match (window.check, self.horizon) {
            (Some(check), Horizon::Suspected(end)) if check == end => {
                let beyond: Coverage = TimeRange::checked(end, Instant::MAX).into_iter().collect();
                let open = self.open();
                let kept = open.without(&beyond);
                open.without(&kept)
            }
            _ => Coverage::new(),
        };
        for range in self.requested.within(window.wanted.range).ranges() {
            lost.insert(*range);
        }
        lost.ranges().iter().for_each(|range| self.lost.insert(*range));
        lost.ranges().to_vec()
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

/// The last second of `range`, or if `end` lies in it the second after that: the leading bracket there is the last sample of
/// all, if `end` is the archive's.
fn far_second(range: TimeRange, end: Instant) -> TimeRange {
    let last_second = range.stop().plus_micros(-1).floor_to_second();
    let start = last_second.max(end.plus_micros(MICROS_PER_SECOND).floor_to_second());
    TimeRange::checked(start, start.plus_micros(MICROS_PER_SECOND)).unwrap_or(range)
}

/// All time after `end`.
fn beyond(end: Instant) -> TimeRange {
    let start = end.plus_micros(1).min(Instant::MAX.plus_micros(-1));
    TimeRange::checked(start, Instant::MAX)
        .unwrap_or_else(|| unreachable!("the start was kept below the end of time"))
}
