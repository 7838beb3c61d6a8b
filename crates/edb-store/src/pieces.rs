//! Which segment speaks for which instant.

use std::cmp::Reverse;
use std::sync::Arc;

use edb_core::{
    Coverage, Error, Instant, Nulls, RealColumn, Result, Sample, Samples, SqlType, TextColumn, TimeRange,
    Values,
};
use edb_parquet::{Kind, OwnedColumn};

use crate::footer::About;
use crate::{Header, Outline, Reading};

/// Samples in memory are counted in so many at once; those of a file by its pages.
const COUNTED_ROWS: usize = 1 << 17;

/// A segment that can be read from.
pub(crate) trait Proof {
    fn about(&self) -> &About;

    /// Appends the samples in `range`.
    fn append(&self, range: TimeRange, to: &mut Gathered) -> Result<()>;

    /// How many samples lie in which ranges.
    fn counts(&self) -> Vec<(TimeRange, usize)>;

    /// The last sample in `range`.
    fn last_in(&self, range: TimeRange) -> Result<Option<Sample>>;

    /// The first sample in `range`.
    fn first_in(&self, range: TimeRange) -> Result<Option<Sample>>;
}

/// Columns that fill up, segment by segment.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) times: OwnedColumn,
    pub(crate) values: Option<OwnedColumn>,
    pub(crate) nulls: Nulls,
    sql_type: Option<SqlType>,
    /// How many rows there will be, about: room for them is made once.
    expected_rows: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            times: OwnedColumn::Time(Vec::new()),
            values: None,
            nulls: Nulls::none(),
            sql_type: None,
            expected_rows: 0,
        }
    }
}

impl Gathered {
    pub(crate) fn reserve_times(&mut self) {
        if self.times.is_empty() {
            self.times.reserve(self.expected_rows);
        }
    }

    /// Prepares for `rows` more of a type. Without rows a part still tells the type; a different type of the same kind takes the newer
    /// word.
    pub(crate) fn expect(&mut self, sql_type: &SqlType, kind: Kind, rows: usize) -> Result<()> {
        let held = self.values.as_ref().filter(|values| !values.is_empty()).map(OwnedColumn::kind);
        match held {
            Some(_) if rows == 0 => return Ok(()),
            Some(held) if held != kind => {
                let last = match &self.times {
                    OwnedColumn::Time(times) => times.last().copied(),
                    _ => None,
                };
                let last = Instant::from_micros(last.unwrap_or(0));
                return Err(Error::integrity(format!(
                    "could not join samples: {held:?} values until {last}, and {kind:?} values from then on"
                ))
                .with_hint("ask for the times before and after that by themselves"));
            }
            Some(_) => {}
            None => {
                let mut values = OwnedColumn::empty(kind);
                values.reserve(self.expected_rows.max(rows));
                self.values = Some(values);
            }
        }
        self.sql_type = Some(sql_type.clone());
        Ok(())
    }

    /// The columns as samples.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if they do not fit together, or times do not ascend.
    pub(crate) fn samples(self) -> Result<Samples> {
        let sql_type = self.sql_type.unwrap_or(SqlType::Varchar);
        let (OwnedColumn::Time(times), Some(values)) = (self.times, self.values) else {
            return Ok(Samples::empty(sql_type));
        };
        let values = match values {
            OwnedColumn::Real(values) => Values::Real(RealColumn(values)),
            OwnedColumn::Integer(values) | OwnedColumn::Time(values) => Values::Integer(values),
            OwnedColumn::Text(column) => Values::Text(column),
        };
        let (samples, misplaced) = Samples::from_columns(sql_type, times, values, self.nulls)?;
        if misplaced > 0 {
            return Err(Error::integrity(format!("{misplaced} samples are out of order of time")));
        }
        Ok(samples)
    }
}

impl Proof for crate::Segment {
    fn about(&self) -> &About {
        &self.about
    }

    fn counts(&self) -> Vec<(TimeRange, usize)> {
        let span = |times: &[i64]| {
            let (first, last) = (Instant::from_micros(*times.first()?), Instant::from_micros(*times.last()?));
            Some((TimeRange::checked(first, last.plus_micros(1))?, times.len()))
        };
        self.samples.times().chunks(COUNTED_ROWS).filter_map(span).collect()
    }

    fn append(&self, range: TimeRange, to: &mut Gathered) -> Result<()> {
        let rows = self.samples.rows_in(range);
        let kind = match self.samples.values() {
            Values::Real(_) => Kind::Real,
            Values::Integer(_) => Kind::Integer,
            Values::Text(_) => Kind::Text,
        };
        to.expect(&self.about.sql_type, kind, rows.len())?;
        let before = to.times.len();
        if let OwnedColumn::Time(times) = &mut to.times {
            times.extend_from_slice(&self.samples.times()[rows.clone()]);
        }
        match (self.samples.values(), &mut to.values) {
            (Values::Real(values), Some(OwnedColumn::Real(all))) => {
                all.extend_from_slice(&values.0[rows.clone()]);
            }
            (Values::Integer(values), Some(OwnedColumn::Integer(all))) => {
                all.extend_from_slice(&values[rows.clone()]);
            }
            (Values::Text(column), Some(OwnedColumn::Text(all))) => push_words(column, rows.clone(), all),
            _ => {}
        }
        let nulls = self.samples.nulls().positions().iter();
        nulls.filter(|row| rows.contains(row)).for_each(|row| to.nulls.push(before + row - rows.start));
        Ok(())
    }

    fn last_in(&self, range: TimeRange) -> Result<Option<Sample>> {
        Ok(self.samples.rows_in(range).last().map(|row| self.samples.sample(row)))
    }

    fn first_in(&self, range: TimeRange) -> Result<Option<Sample>> {
        Ok(self.samples.rows_in(range).next().map(|row| self.samples.sample(row)))
    }
}

fn push_words(from: &TextColumn, rows: std::ops::Range<usize>, to: &mut TextColumn) {
    rows.for_each(|row| to.push(from.word(row)));
}

/// A range for which one segment, the newest that proves it, speaks.
#[derive(Debug, Clone, Copy)]
struct Piece {
    range: TimeRange,
    segment: usize,
}

/// The segments by who is believed first: the newest, and of those of one time the shortest, which is what a longer one was cut to.
fn by_belief(headers: &[Header]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..headers.len()).collect();
    order.sort_by_key(|at| {
        let header = headers[*at];
        (Reverse(header.fetched_at), header.proven.micros(), header)
    });
    order
}

/// The pieces of all that is proven, ascending and disjoint.
fn pieces(headers: &[Header]) -> Vec<Piece> {
    let mut proven = Coverage::new();
    let mut pieces = Vec::new();
    for segment in by_belief(headers) {
        let range = headers[segment].proven;
        pieces.extend(proven.gaps(range).into_iter().map(|range| Piece { range, segment }));
        proven.insert(range);
    }
    pieces.sort_by_key(|piece| piece.range);
    pieces
}

/// The part of each segment's range for which it speaks.
pub(crate) fn shares(headers: &[Header]) -> Vec<Coverage> {
    let mut shares = vec![Coverage::new(); headers.len()];
    let pieces = pieces(headers);
    pieces.iter().for_each(|piece| shares[piece.segment].insert(piece.range));
    shares
}

/// Reads `range` out of segments: the samples of each piece, and the samples on both sides as far as nothing unknown lies
/// between. `rows` is how many samples each segment has, where that is known without opening it.
pub(crate) fn read<P: Proof>(
    headers: &[Header],
    rows: impl Fn(usize) -> Option<usize>,
    range: TimeRange,
    open: impl FnMut(usize) -> Result<Arc<P>>,
) -> Result<Reading> {
    let pieces = pieces(headers);
    let mut shelf = Shelf { open, last: None };
    let mut reading = Reading::default();
    let inside = || pieces.iter().filter_map(|piece| Some((piece.segment, piece.range.intersect(range)?)));
    // Segments of one mnemonic are sampled evenly enough for a share of the time to be that of the rows, or nearly.
    let expected = |(segment, part): (usize, TimeRange)| {
        let share = part.micros() as f64 / headers[segment].proven.micros() as f64;
        rows(segment).map_or(0, |rows| (rows as f64 * share).ceil() as usize)
    };
    let mut gathered = Gathered { expected_rows: inside().map(expected).sum(), ..Gathered::default() };
    for (segment, part) in inside() {
        let segment = shelf.segment(segment)?;
        segment.append(part, &mut gathered)?;
        let about = segment.about();
        reading.known.insert(part);
        for source in &about.sources {
            if !reading.sources.contains(source) {
                reading.sources.push(source.clone());
            }
        }
        if !about.unit.is_empty() {
            reading.unit.clone_from(&about.unit);
        }
        let oldest = reading.fetched_at.map_or(about.header.fetched_at, |at| at.min(about.header.fetched_at));
        reading.fetched_at = Some(oldest);
    }
    reading.samples = gathered.samples()?;
    reading.leading = leading(&pieces, range, &mut shelf)?;
    reading.trailing = trailing(&pieces, range, &mut shelf)?;
    Ok(reading)
}

/// What is known of the samples in `range` before they are read.
pub(crate) fn outline<P: Proof>(
    headers: &[Header],
    range: TimeRange,
    open: impl FnMut(usize) -> Result<Arc<P>>,
) -> Result<Outline> {
    let mut shelf = Shelf { open, last: None };
    let mut outline = Outline::default();
    for piece in pieces(headers) {
        let Some(part) = piece.range.intersect(range) else { continue };
        let segment = shelf.segment(piece.segment)?;
        for source in &segment.about().sources {
            if !outline.sources.contains(source) {
                outline.sources.push(source.clone());
            }
        }
        let inside = |(span, rows): (TimeRange, usize)| {
            let inside = span.intersect(part)?;
            Some((inside, rows as f64 * inside.micros() as f64 / span.micros() as f64))
        };
        outline.counts.extend(segment.counts().into_iter().filter_map(inside));
    }
    Ok(outline)
}

/// The segment that was opened last: pieces come in the order of time, so that each segment is opened once, or nearly, and
/// few are open at once.
struct Shelf<P, F> {
    open: F,
    last: Option<(usize, Arc<P>)>,
}

impl<P, F: FnMut(usize) -> Result<Arc<P>>> Shelf<P, F> {
    fn segment(&mut self, at: usize) -> Result<Arc<P>> {
        if let Some((last, segment)) = &self.last
            && *last == at
        {
            return Ok(Arc::clone(segment));
        }
        let segment = (self.open)(at)?;
        self.last = Some((at, Arc::clone(&segment)));
        Ok(segment)
    }
}

/// The last sample before `range`: walks back through touching pieces, however far, to a sample, or to a leading bracket that no newer
/// piece before it could contradict.
fn leading<P: Proof, F: FnMut(usize) -> Result<Arc<P>>>(
    pieces: &[Piece],
    range: TimeRange,
    shelf: &mut Shelf<P, F>,
) -> Result<Option<Sample>> {
    let after = pieces.partition_point(|piece| piece.range.start() <= range.start());
    let (mut limit, mut bracket) = (range.start(), Bracket::default());
    for piece in pieces[..after].iter().rev() {
        if piece.range.stop() < limit {
            break;
        }
        let segment = shelf.segment(piece.segment)?;
        let Header { fetched_at, proven, .. } = segment.about().header;
        if bracket.is_as_new_as(fetched_at) {
            break;
        }
        if let Some(before) = TimeRange::checked(piece.range.start(), limit)
            && let Some(last) = segment.last_in(before)?
        {
            return Ok(Some(last));
        }
        if piece.range.start() == proven.start() {
            bracket.take(segment.about().leading.as_ref(), fetched_at);
        }
        limit = piece.range.start();
    }
    let Some(sample) = bracket.sample.filter(|sample| sample.time < limit) else { return Ok(None) };
    let between = TimeRange::checked(sample.time.plus_micros(1), limit);
    Ok((!has_samples(pieces, between, shelf)?).then_some(sample))
}

/// The first sample at or after the end of `range`: the mirror image of [`leading`].
fn trailing<P: Proof, F: FnMut(usize) -> Result<Arc<P>>>(
    pieces: &[Piece],
    range: TimeRange,
    shelf: &mut Shelf<P, F>,
) -> Result<Option<Sample>> {
    let first = pieces.partition_point(|piece| piece.range.stop() < range.stop());
    let (mut limit, mut bracket) = (range.stop(), Bracket::default());
    for piece in &pieces[first..] {
        if piece.range.start() > limit {
            break;
        }
        let segment = shelf.segment(piece.segment)?;
        let Header { fetched_at, proven, .. } = segment.about().header;
        if bracket.is_as_new_as(fetched_at) {
            break;
        }
        if let Some(after) = TimeRange::checked(limit.max(piece.range.start()), piece.range.stop())
            && let Some(first) = segment.first_in(after)?
        {
            return Ok(Some(first));
        }
        if piece.range.stop() == proven.stop() {
            bracket.take(segment.about().trailing.as_ref(), fetched_at);
        }
        limit = piece.range.stop();
    }
    let Some(sample) = bracket.sample.filter(|sample| sample.time >= limit) else { return Ok(None) };
    let between = TimeRange::checked(limit, sample.time);
    Ok((!has_samples(pieces, between, shelf)?).then_some(sample))
}

/// Whether anything is known to be where a bracket says that there is nothing: beyond a hole, where somebody fetched again what
/// had been removed, say.
fn has_samples<P: Proof, F: FnMut(usize) -> Result<Arc<P>>>(
    pieces: &[Piece],
    between: Option<TimeRange>,
    shelf: &mut Shelf<P, F>,
) -> Result<bool> {
    let Some(between) = between else { return Ok(false) };
    for piece in pieces {
        if let Some(part) = piece.range.intersect(between)
            && shelf.segment(piece.segment)?.first_in(part)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A bracket that was found on the way, which pieces that were fetched later may contradict.
#[derive(Default)]
struct Bracket {
    sample: Option<Sample>,
    fetched_at: Option<Instant>,
}

impl Bracket {
    fn take(&mut self, sample: Option<&Sample>, fetched_at: Instant) {
        if let Some(sample) = sample {
            self.sample = Some(sample.clone());
            self.fetched_at = Some(fetched_at);
        }
    }

    fn is_as_new_as(&self, fetched_at: Instant) -> bool {
        self.fetched_at.is_some_and(|at| at >= fetched_at)
    }
}
