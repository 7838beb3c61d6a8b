//! What one answer of the service says, and what it proves.

use crate::{Instant, Mnemonic, Notice, NoticeKind, Result, Sample, Samples, TimeRange};

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
    /// The first sample after [`proven`](Self::proven); without it the end is open (see [`is_closed`](Self::is_closed)).
    pub trailing: Option<Sample>,
    /// The range in which [`samples`](Self::samples) are all there are; `None` when the answer proves nothing.
    pub proven: Option<TimeRange>,
    /// Facts about the answer.
    pub notices: Vec<Notice>,
}

impl Answer {
    /// Splits the rows of an answer into brackets and samples, and says what they prove.
    ///
    /// - a first row before `asked` is the leading bracket. Other rows may share its time, so the proof starts one
    ///   microsecond after it
    /// - otherwise the start is open: the archive begins there, or the answer lacks its head, and the proof starts at the
    ///   first row
    /// - a last row at or after the end of `asked` closes the answer, and the proof stops before it, for the same reason
    /// - otherwise the end is open: the proof stops right after the last row, and says nothing about the time beyond
    /// - no row at all proves nothing: an unknown mnemonic is answered that way too
    ///
    /// `misplaced` is the number of rows that came out of order of time ([`Samples::from_columns`]).
    ///
    /// # Errors
    /// None at present; rows that contradict the protocol may become one.
    pub fn from_rows(mnemonic: Mnemonic, asked: TimeRange, rows: Samples, misplaced: usize) -> Result<Self> {
        let mut notices = Vec::new();
        if misplaced > 0 {
            let text = format!("{misplaced} rows came before their predecessor in time and were sorted");
            notices.push(Notice::about(NoticeKind::OutOfOrder, &mnemonic, text));
        }
        let (Some(&first), Some(&last)) = (rows.times().first(), rows.times().last()) else {
            let text = format!("no samples in or around {asked}");
            notices.push(Notice::about(NoticeKind::NoSamples, &mnemonic, text));
            return Ok(Self {
                mnemonic,
                asked,
                leading: None,
                samples: rows,
                trailing: None,
                proven: None,
                notices,
            });
        };
        let has_leading = first < asked.start().as_micros();
        let has_trailing = last >= asked.stop().as_micros();
        let start = Instant::from_micros(if has_leading { first + 1 } else { first });
        let stop = if has_trailing { last } else { last + 1 };
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
        let trailing = has_trailing.then(|| rows.sample(rows.times().partition_point(|time| *time < last)));
        let proven = TimeRange::checked(start, Instant::from_micros(stop));
        let samples = match proven {
            Some(proven) => rows.cut(proven),
            None => rows.slice(0..0),
        };
        Ok(Self { mnemonic, asked, leading, samples, trailing, proven, notices })
    }

    /// Whether the answer ends with its trailing bracket. One that does not is the end of the archive as of now, or a
    /// cut-off body.
    pub fn is_closed(&self) -> bool {
        self.trailing.is_some()
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
    fn an_open_end_proves_nothing_beyond_its_last_row() {
        let open = answer(&[10, 150]);
        assert_eq!(open.proven, Some(range(11, 151)));
        assert_eq!(open.samples.times(), [150]);
        assert_eq!(open.notices[0].kind, NoticeKind::OpenEnd);
        let before = answer(&[10]);
        assert_eq!(before.proven, None);
        assert!(before.leading.is_some() && before.samples.is_empty());
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
