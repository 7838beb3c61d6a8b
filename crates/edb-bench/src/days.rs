//! Answers of any size at next to no cost and in next to no memory.
//!
//! Every row has 64 bytes, so a range is a slice of days. Days of one cadence differ in nothing but the date and the whole
//! part of the MJD: one is printed, the others are copied from it piece by piece, with these two columns overwritten while
//! they are in the cache. (Keeping every day whole takes half the time once they are there, but some 35 ms for each before, and its
//! memory.) All mnemonics of a cadence have the same values, and values repeat with the days.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use edb_core::{
    Error, ErrorKind, Instant, MICROS_PER_DAY, Nulls, Result, Samples, SqlType, TimeRange, Values,
};
use edb_wire::Encoder;
use tokio::sync::OnceCell;

/// `2022-06-01 00:00:00.017000,59731.0000001968,55.1234567890,real` and CRLF.
pub const ROW_BYTES: usize = 64;
/// The first line of an answer.
pub const HEADER: &[u8] = b"theTime,MJD,euvalue,sqldataType\r\n";
/// What can be asked for: MJDs of five digits whose doubles all have the same steps, so that the decimals of one day are
/// those of every other.
pub const SERVED_DAYS: Range<i64> = -6_900..24_900;

/// Samples lie this far beside the whole second (at every cadence of an even number of milliseconds), so that it does not
/// matter whether the ends of a range belong to it.
const PHASE_MICROS: i64 = 17_000;
const DEFAULT_STEP_MILLIS: i64 = 256;
/// A day of 16 ms has 346 MB.
const STEP_MILLIS: std::ops::RangeInclusive<i64> = 16..=3_600_000;
const MJD_OF_EPOCH: i64 = 40_587;

/// How far apart samples lie; they are numbered from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cadence(i64);

impl Cadence {
    /// What a mnemonic's name says: `B256_000` is sampled every 256 ms, and so is anything of another form.
    pub fn of(mnemonic: &str) -> Self {
        let millis = mnemonic.strip_prefix('B').and_then(|rest| rest.split('_').next()?.parse().ok());
        Self(millis.filter(|millis| STEP_MILLIS.contains(millis)).unwrap_or(DEFAULT_STEP_MILLIS) * 1000)
    }

    fn micros(self, number: i64) -> i64 {
        PHASE_MICROS + number * self.0
    }

    /// The number of the first sample at `micros` or later.
    fn first_from(self, micros: i64) -> i64 {
        -(PHASE_MICROS - micros).div_euclid(self.0)
    }

    /// The samples of a day.
    fn of_day(self, day: i64) -> Range<i64> {
        self.first_from(day * MICROS_PER_DAY)..self.first_from((day + 1) * MICROS_PER_DAY)
    }

    /// The samples of an answer: those of `range`, the last one before it and the first one after.
    fn of_answer(self, range: TimeRange) -> Range<i64> {
        self.first_from(range.start().as_micros()) - 1..self.first_from(range.stop().as_micros()) + 1
    }
}

/// A part of an answer: some bytes of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The day, counted from 1970.
    pub day: i64,
    /// Which of its bytes.
    pub bytes: Range<usize>,
}

/// The rows that answer a request, as parts of days.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the range goes beyond [`SERVED_DAYS`].
pub fn slices(cadence: Cadence, range: TimeRange) -> Result<Vec<Slice>> {
    let samples = cadence.of_answer(range);
    let day_of = |number| cadence.micros(number).div_euclid(MICROS_PER_DAY);
    let days = day_of(samples.start)..day_of(samples.end - 1) + 1;
    if days.start < SERVED_DAYS.start || days.end > SERVED_DAYS.end {
        return Err(Error::usage(format!("{range} is not between 1952 and 2037")));
    }
    let slice = |day| {
        let of_day = cadence.of_day(day);
        let byte = |number: i64| (number.clamp(of_day.start, of_day.end) - of_day.start) as usize * ROW_BYTES;
        Slice { day, bytes: byte(samples.start)..byte(samples.end) }
    };
    Ok(days.map(slice).collect())
}

/// One printed day of each cadence, of which every other day is a copy with another date.
#[derive(Debug, Default)]
pub struct Days {
    /// By cadence, and by when on the day its first sample is.
    models: Mutex<HashMap<(Cadence, i64), Model>>,
}

type Model = Arc<OnceCell<Bytes>>;

impl Days {
    /// A day with the rows of `day`, but for their dates; printed by the first who asks, while others wait for it.
    ///
    /// # Errors
    /// If it could not be printed.
    pub async fn model(&self, cadence: Cadence, day: i64) -> Result<Bytes> {
        let phase = cadence.micros(cadence.of_day(day).start) - day * MICROS_PER_DAY;
        let model = {
            let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
            models.entry((cadence, phase)).or_default().clone()
        };
        let print = || async {
            let printed = tokio::task::spawn_blocking(move || print_model(cadence, day)).await;
            printed.map_err(|error| {
                Error::new(ErrorKind::Unclassified, "the printing of a day was stopped").caused_by(error)
            })?
        };
        model.get_or_try_init(print).await.cloned()
    }
}

/// Prints the rows of one day, piece by piece.
#[derive(Debug)]
pub struct Redated {
    model: Bytes,
    date: [u8; 10],
    mjd: [u8; 5],
}

impl Redated {
    /// The rows of `model` at the times of another day of the same cadence and phase.
    pub fn new(model: Bytes, day: i64) -> Self {
        let (mut date, mut mjd) = ([b' '; 10], [b' '; 5]);
        date.copy_from_slice(&Instant::from_micros(day * MICROS_PER_DAY).to_edb_text().as_bytes()[..10]);
        mjd.copy_from_slice(format!("{:05}", day + MJD_OF_EPOCH).as_bytes());
        Self { model, date, mjd }
    }

    /// Puts `rows` (as bytes, whole rows) of this day into `out`, in place of what was there.
    pub fn print(&self, rows: Range<usize>, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.model[rows]);
        for row in out.chunks_exact_mut(ROW_BYTES) {
            row[..10].copy_from_slice(&self.date);
            row[27..32].copy_from_slice(&self.mjd);
        }
    }
}

/// Prints a day as the service would.
fn print_model(cadence: Cadence, day: i64) -> Result<Bytes> {
    let times: Vec<i64> = cadence.of_day(day).map(|number| cadence.micros(number)).collect();
    let values = Values::real((0..times.len() as u64).map(value).collect());
    let count = times.len();
    let (samples, _) = Samples::from_columns(SqlType::Real, times, values, Nulls::none())?;
    let mut rows = Vec::with_capacity(HEADER.len() + count * ROW_BYTES);
    Encoder::new(samples).for_each(|chunk| rows.extend_from_slice(&chunk));
    assert_eq!(rows.len(), HEADER.len() + count * ROW_BYTES, "rows of one width");
    Ok(Bytes::from(rows).slice(HEADER.len()..))
}

/// The value of a day's sample: between 10 and 100, a slow curve with noise in all ten decimals.
fn value(at: u64) -> f64 {
    let mixed = (at ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let noise = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 40;
    55.0 + 40.0 * (at as f64 * 1e-4).sin() + noise as f64 * 1e-8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(days: &Days, name: &str) -> String {
        let request = edb_core::Request::from_file_name(name).unwrap();
        let cadence = Cadence::of(request.mnemonic.as_str());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut body = HEADER.to_vec();
        for slice in slices(cadence, request.range).unwrap() {
            let model = runtime.block_on(days.model(cadence, slice.day)).unwrap();
            let mut rows = b"of the day before".to_vec();
            Redated::new(model, slice.day).print(slice.bytes, &mut rows);
            body.extend_from_slice(&rows);
        }
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn names_say_the_cadence() {
        for (name, millis) in [("B064_003", 64), ("B4096_000", 4096), ("SA_X", 256), ("B0_X", 256)] {
            assert_eq!(Cadence::of(name), Cadence(millis * 1000), "{name}");
        }
    }

    #[test]
    fn an_answer_is_what_the_encoder_prints_of_its_samples() {
        let days = Days::default();
        // 4.096 s does not divide a day: every day begins at another phase.
        for name in [
            "B4096_000-20240229T220000-20240303T030000.csv",
            "B064_000-20371231T235900-20371231T235959.csv",
            "B256_000-19520101T000000-19520101T000001.csv",
        ] {
            let body = body(&days, name);
            let decoded = edb_wire::decode(body.as_bytes()).unwrap();
            assert_eq!(decoded.misplaced, 0);
            assert_eq!(edb_wire::encode(&decoded.samples), body.as_bytes(), "{name}");
            let request = edb_core::Request::from_file_name(name).unwrap();
            let times = decoded.samples.times();
            let step = Cadence::of(name).0;
            assert!(times.windows(2).all(|pair| pair[1] - pair[0] == step));
            let inside = times.iter().filter(|time| request.range.contains(Instant::from_micros(**time)));
            assert_eq!(inside.count() + 2, times.len(), "{name}");
            assert!(times[0] < request.range.start().as_micros());
        }
    }

    #[test]
    fn windows_join() {
        let days = Days::default();
        let rows = |name: &str| body(&days, name).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        let whole = rows("B4096_000-20240301T000000-20240308T000000.csv");
        let first = rows("B4096_000-20240301T000000-20240303T101112.csv");
        let second = rows("B4096_000-20240303T101112-20240308T000000.csv");
        assert_eq!(first[first.len() - 2..], second[..2]);
        assert_eq!([&first[..], &second[2..]].concat(), whole);
        // Eight days lie in four phases.
        assert_eq!(days.models.lock().unwrap().len(), 4);
    }

    #[test]
    fn a_day_at_256_ms_has_its_rows_and_two_brackets() {
        let range =
            edb_core::Request::from_file_name("B256_0-20240301T000000-20240302T000000.csv").unwrap().range;
        let bytes: usize =
            slices(Cadence::of("B256_0"), range).unwrap().iter().map(|part| part.bytes.len()).sum();
        assert_eq!(bytes, 337_502 * ROW_BYTES);
    }
}
