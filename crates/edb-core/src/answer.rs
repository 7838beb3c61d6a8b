//! What one answer of the service says, and what it proves.

use crate::{Instant, Mnemonic, Notice, NoticeKind, Result, Sample, Samples, SqlType, TimeRange};

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// With its trailing bracket: nothing is missing.
    Closed,
    /// Without one: the archive ends there as of now, or the answer was cut and nobody said so.
    Open,
    /// In the middle: the connection broke, or the reader had enough.
    Cut,
}

/// The service's answer about one mnemonic over one range, with its bracket rows kept apart.
///
/// The service adds the last sample before the range and the first one after it. There is no sample between the leading
/// bracket and the first row after it, nor between the last row and the trailing bracket, so the answer covers everything
/// between its first and its last row, which may be far more than was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Whose samples.
    pub mnemonic: Mnemonic,
    /// The range of whole seconds that the service was asked for.
    pub asked: TimeRange,
    /// The last sample before [`proven`](Self::proven), if the service knew one: the state into the range.
    pub leading: Option<Sample>,
    /// Every sample in [`proven`](Self::proven).
    pub samples: Samples,
    /// The first sample at or after the end of [`proven`](Self::proven).
    pub trailing: Option<Sample>,
    /// The range in which [`samples`](Self::samples) are all there are; `None` when the answer proves nothing.
    pub proven: Option<TimeRange>,
    /// How it ends.
    pub end: End,
    /// Time of the last row of all, bracket or not; `None` if there is no row.
    pub last: Option<Instant>,
    /// Facts about the answer.
    pub notices: Vec<Notice>,
    /// The rows at the end of an answer that is not closed: real samples, of which there may be more at the same time.
    tail: Samples,
}

impl Answer {
    /// Splits the rows of an answer into brackets and samples, and says what they prove.
    ///
    /// - a first row before `asked` is the leading bracket. Other rows may share its time, so the proof starts one
    ///   microsecond after it
    /// - otherwise the start is open: the archive begins there, or the answer lacks its head, and the proof starts at the
    ///   first row
    /// - a last row at or after the end of `asked` closes the answer, and the proof stops before it, for the same reason
    /// - otherwise the end is open. The last row then stands in for the trailing bracket: the proof stops before it, too,
    ///   and nothing is said about the time beyond. [`ended`](Self::ended) accepts the end
    /// - no row at all proves nothing: an unknown mnemonic is answered that way too
    ///
    /// `misplaced` is the number of rows that came out of order of time ([`Samples::from_columns`]). Where rows are out of
    /// order and the end is open, what is missing may belong anywhere, and nothing is proven.
    ///
    /// # Errors
    /// None at present; rows that contradict the protocol may become one.
    pub fn from_rows(mnemonic: Mnemonic, asked: TimeRange, rows: Samples, misplaced: usize) -> Result<Self> {
        let mut notices = Vec::new();
        if misplaced > 0 {
            let text = format!("{misplaced} rows came before their predecessor in time and were sorted");
            notices.push(Notice::about(NoticeKind::OutOfOrder, &mnemonic, text));
        }
        let nothing = rows.slice(0..0);
        let (Some(&first), Some(&last)) = (rows.times().first(), rows.times().last()) else {
            let text = format!("no samples in or around {asked}");
            notices.push(Notice::about(NoticeKind::NoSamples, &mnemonic, text));
            return Ok(Self {
                mnemonic,
                asked,
                leading: None,
                samples: nothing,
                trailing: None,
                proven: None,
                end: End::Open,
                last: None,
                notices,
                tail: rows,
            });
        };
        let has_leading = first < asked.start().as_micros();
        let has_trailing = last >= asked.stop().as_micros();
        let start = Instant::from_micros(if has_leading { first + 1 } else { first });
        if !has_trailing {
            let text = format!(
                "the last sample is of {}; nothing after it is known yet",
                Instant::from_micros(last)
            );
            notices.push(Notice::about(NoticeKind::OpenEnd, &mnemonic, text));
        }
        let leading = has_leading.then(|| {
            let twins = rows.times().partition_point(|time| *time == first);
            rows.sample(twins - 1)
        });
        let is_orderly = has_trailing || misplaced == 0;
        let proven = TimeRange::checked(start, Instant::from_micros(last)).filter(|_| is_orderly);
        // The rows that are neither the leading bracket, nor proven to be all of their time.
        let after = TimeRange::checked(proven.map_or(start, TimeRange::stop), Instant::from_micros(last + 1));
        let rest = after.map_or(0..0, |after| rows.rows_in(after));
        let trailing = rest.clone().next().map(|row| rows.sample(row)).filter(|_| is_orderly);
        let tail = if has_trailing { nothing.clone() } else { rows.slice(rest) };
        let samples = proven.map_or(nothing, |proven| rows.cut(proven));
        let end = if has_trailing { End::Closed } else { End::Open };
        let last = Some(Instant::from_micros(last));
        Ok(Self { mnemonic, asked, leading, samples, trailing, proven, end, last, notices, tail })
    }

    /// The answer, known to have been cut off unless its trailing bracket came before the cut.
    #[must_use]
    pub fn cut(mut self) -> Self {
        if self.end == End::Open {
            self.end = End::Cut;
        }
        self
    }

    /// The answer with its open end accepted as that of the archive as of now: the last rows are all there are at their
    /// time, and the proof reaches one microsecond past them, no further.
    ///
    /// # Errors
    /// None that bad telemetry could cause.
    pub fn ended(mut self) -> Result<Self> {
        if let (End::Open, Some(&last), Some(&first)) =
            (self.end, self.tail.times().last(), self.tail.times().first())
        {
            let after_leading = self.leading.as_ref().map(|leading| leading.time.plus_micros(1));
            let start =
                after_leading.unwrap_or(self.proven.map_or(Instant::from_micros(first), TimeRange::start));
            if self.samples.is_empty() {
                self.samples = self.tail.slice(0..0);
            }
            self.samples.append(std::mem::replace(&mut self.tail, Samples::empty(SqlType::Varchar)))?;
            self.proven = TimeRange::checked(start, Instant::from_micros(last + 1));
            self.trailing = None;
        }
        Ok(self)
    }

    /// How many rows at the time of the last row there are at the end of an answer that is not closed; none if that row is the
    /// leading bracket. More of them may be missing.
    pub fn rows_at_end(&self) -> usize {
        self.tail
            .times()
            .last()
            .map_or(0, |last| self.tail.times().iter().rev().take_while(|time| *time == last).count())
    }

    /// The last row of an answer that is not closed, bracket or not.
    pub fn last_row(&self) -> Option<Sample> {
        match self.tail.len() {
            0 => self.leading.clone(),
            rows => Some(self.tail.sample(rows - 1)),
        }
    }

    /// Whether the answer ends with its trailing bracket. One that does not is the end of the archive as of now, or a
    /// cut-off body.
    pub fn is_closed(&self) -> bool {
        self.end == End::Closed
    }

    /// Where to go on asking after an answer that is not closed: the whole second from which on not everything is proven.
    pub fn resume_at(&self) -> Instant {
        self.proven
            .map_or(self.asked.start(), |proven| proven.stop().floor_to_second().max(self.asked.start()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Nulls, SqlType, Value, Values};

    fn range(start: i64, stop: i64) -> TimeRange {
        TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop)).unwrap()
    }

    /// An answer to [100, 200) with rows at `times`, the values being the row numbers.
    fn answer(times: &[i64]) -> Answer {
        let values = Values::Integer((0..times.len() as i64).collect());
        let (rows, misplaced) =
            Samples::from_columns(SqlType::Int, times.to_vec(), values, Nulls::none()).unwrap();
        Answer::from_rows(Mnemonic::new("M").unwrap(), range(100, 200), rows, misplaced).unwrap()
    }

    #[test]
    fn a_closed_answer_proves_all_between_its_brackets() {
        let answer = answer(&[10, 100, 150, 199, 500]);
        assert_eq!(answer.proven, Some(range(11, 500)));
        assert_eq!(answer.samples.times(), [100, 150, 199]);
        assert_eq!(answer.leading.as_ref().unwrap().time.as_micros(), 10);
        assert_eq!(answer.trailing.as_ref().unwrap().time.as_micros(), 500);
        assert!(answer.is_closed() && answer.notices.is_empty());
    }

    #[test]
    fn the_stop_is_outside_and_may_have_twins() {
        // The service is inclusive at both ends: a sample exactly at the stop comes with the next one after it.
        let answer = answer(&[110, 200, 200, 256]);
        assert_eq!(answer.proven, Some(range(110, 256)), "an open start proves nothing before its first row");
        assert_eq!(answer.samples.times(), [110, 200, 200], "proven beyond what was asked");
        assert!(answer.leading.is_none());
        let alone = super::tests::answer(&[10, 200]);
        assert_eq!(alone.proven, Some(range(11, 200)));
        assert!(alone.samples.is_empty() && alone.is_closed());
    }

    #[test]
    fn of_twins_before_the_range_the_last_is_in_force() {
        let answer = answer(&[10, 10, 150, 300]);
        assert_eq!(answer.leading.unwrap().value, Value::Integer(1));
        assert_eq!(answer.proven, Some(range(11, 300)));
    }

    #[test]
    fn an_open_end_proves_nothing_from_its_last_row_on() {
        let open = answer(&[10, 120, 150, 150]);
        assert_eq!((open.proven, open.end), (Some(range(11, 150)), End::Open));
        assert_eq!(open.samples.times(), [120], "a twin of the last row may be missing");
        assert_eq!(open.trailing.as_ref().unwrap().value, Value::Integer(2));
        assert_eq!(open.notices[0].kind, NoticeKind::OpenEnd);
        assert_eq!(
            [open.rows_at_end(), answer(&[10]).rows_at_end(), answer(&[10, 250]).rows_at_end()],
            [2, 0, 0]
        );
        assert_eq!(open.last_row().unwrap().value, Value::Integer(3));
        assert_eq!(answer(&[10]).last_row().unwrap().value, Value::Integer(0));
        let ended = open.ended().unwrap();
        assert_eq!((ended.proven, ended.samples.times()), (Some(range(11, 151)), &[120, 150, 150][..]));
        assert!(ended.trailing.is_none());
        let before = answer(&[10]);
        assert_eq!((before.proven, before.last), (None, Some(Instant::from_micros(10))));
        assert!(before.leading.is_some() && before.samples.is_empty());
        assert_eq!(before.ended().unwrap().proven, None);
        let alone = answer(&[10, 150]).ended().unwrap();
        assert_eq!((alone.proven, alone.samples.times()), (Some(range(11, 151)), &[150][..]));
    }

    #[test]
    fn what_came_after_the_trailing_bracket_was_cut_is_not_missed() {
        assert_eq!(answer(&[10, 150, 200]).cut().end, End::Closed);
        assert_eq!(answer(&[10, 150]).cut().end, End::Cut);
    }

    #[test]
    fn rows_out_of_order_prove_nothing_where_the_end_is_open() {
        let open = answer(&[10, 150, 120]);
        assert_eq!((open.proven, open.samples.len()), (None, 0));
        assert_eq!(open.resume_at().as_micros(), 100);
        let ended = open.ended().unwrap();
        assert_eq!((ended.proven, ended.samples.times()), (Some(range(11, 151)), &[120, 150][..]));
    }

    #[test]
    fn no_rows_prove_nothing() {
        let none = answer(&[]);
        assert_eq!(none.proven, None);
        assert_eq!(none.notices[0].kind, NoticeKind::NoSamples);
    }

    #[test]
    fn rows_out_of_order_are_sorted_and_reported() {
        let answer = answer(&[10, 150, 120, 300]);
        assert_eq!(answer.samples.times(), [120, 150]);
        assert_eq!(answer.notices[0].kind, NoticeKind::OutOfOrder);
    }
}
