//! Ticks of the time axis: round moments of UTC, from microseconds to millennia.

use chrono::{Datelike as _, Timelike as _};
use edb_core::{Instant, MICROS_PER_DAY, MICROS_PER_SECOND, TimeRange};

/// How moments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// Dates and times of day.
    #[default]
    Utc,
    /// Days of the year and times of day.
    DayOfYear,
    /// Modified Julian dates, of UTC.
    Mjd,
}

impl Clock {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Utc => "utc",
            Self::DayOfYear => "doy",
            Self::Mjd => "mjd",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::DayOfYear => "UTC, year:day of year",
            Self::Mjd => "MJD (UTC)",
        }
    }

    /// A moment, to the second.
    pub(crate) fn moment(self, at: Instant) -> String {
        let t = at.civil();
        match self {
            Self::Utc => t.format("%Y-%m-%d %H:%M:%S").to_string(),
            Self::DayOfYear => t.format("%Y:%j:%H:%M:%S").to_string(),
            Self::Mjd => format!("{:.5}", mjd(at)),
        }
    }
}

fn mjd(at: Instant) -> f64 {
    MJD_OF_1970 as f64 + at.as_micros() as f64 / MICROS_PER_DAY as f64
}

const MJD_OF_1970: i64 = 40_587;

/// One tick. Labels do not overlap.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: Instant,
    /// What changes from tick to tick, as `22:25`.
    pub(crate) label: String,
    /// What changes seldom, as `2022-02-02`, where it does, and at the first tick.
    pub(crate) context: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Multiples since 1970, up to two days.
    Micros(i64),
    /// The 1st, 8th, 15th and 22nd of the month, or only every other of them.
    DayOfMonth(u32),
    Months(u32),
    Years(i32),
    /// The 1st day of the year, and every so many days after it.
    DayOfYear(u32),
    /// Multiples of so many microseconds since MJD 0.
    Mjd(i64),
}

const MINUTE: i64 = 60 * MICROS_PER_SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Every step there is, ascending.
fn ladder(clock: Clock) -> Vec<Step> {
    if clock == Clock::Mjd {
        // 0.000001 d to 100,000 d; below that MJD is written in no readable way.
        let decades = (0..12).map(|power| 86_400 * 10_i64.pow(power));
        return decades.flat_map(|decade| [1, 2, 5].map(|digit| Step::Mjd(digit * decade))).collect();
    }
    let decades = (0..6).map(|power| 10_i64.pow(power));
    let fractions = decades.flat_map(|decade| [1, 2, 5].map(|digit| digit * decade));
    let seconds = [1, 2, 5, 10, 15, 30].map(|seconds| seconds * MICROS_PER_SECOND);
    let minutes = [1, 2, 5, 10, 15, 30].map(|minutes| minutes * MINUTE);
    let hours = [1, 2, 3, 6, 12, 24, 48].map(|hours| hours * HOUR);
    let years = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    let short = fractions.chain(seconds).chain(minutes).chain(hours).map(Step::Micros);
    let years = years.map(Step::Years);
    if clock == Clock::DayOfYear {
        // Days of the year go on from its first, not from 1970.
        let short = short.filter(|step| step.micros() < MICROS_PER_DAY);
        return short.chain([1, 2, 5, 10, 20, 50, 100].map(Step::DayOfYear)).chain(years).collect();
    }
    short.chain([7, 14].map(Step::DayOfMonth)).chain([1, 3, 6].map(Step::Months)).chain(years).collect()
}

impl Step {
    fn micros(self) -> i64 {
        match self {
            Self::Micros(micros) | Self::Mjd(micros) => micros,
            Self::DayOfMonth(days) | Self::DayOfYear(days) => i64::from(days) * MICROS_PER_DAY,
            Self::Months(months) => i64::from(months) * 30 * MICROS_PER_DAY,
            Self::Years(years) => i64::from(years) * 365 * MICROS_PER_DAY,
        }
    }

    /// The ticks in `range`, its end included.
    fn instants(self, range: TimeRange) -> Vec<Instant> {
        let (first, last) = (range.start().civil(), range.stop().civil());
        let mut all: Vec<Instant> = match self {
            Self::Micros(step) => {
                let from = range.start().as_micros().div_euclid(step);
                let to = range.stop().as_micros().div_euclid(step);
                (from..=to).map(|at| Instant::from_micros(at * step)).collect()
            }
            Self::DayOfMonth(step) => {
                let months = month_number(first)..=month_number(last);
                let days = (0..28 / step).map(|week| 1 + week * step);
                months.flat_map(|month| days.clone().filter_map(move |day| date(month, day))).collect()
            }
            Self::Months(step) => {
                let from = month_number(first).div_euclid(step as i32);
                let to = month_number(last).div_euclid(step as i32);
                (from..=to).filter_map(|at| date(at * step as i32, 1)).collect()
            }
            Self::Years(step) => {
                let (from, to) = (first.year().div_euclid(step), last.year().div_euclid(step));
                (from..=to).filter_map(|at| date(at * step * 12, 1)).collect()
            }
            Self::DayOfYear(step) => {
                let years = (first.year()..=last.year()).filter_map(|year| date(year * 12, 1));
                let days = (0..=365 / step).map(|at| i64::from(at * step) * MICROS_PER_DAY);
                let of_year = |year: Instant| {
                    // The last step of a year would crowd the first of the next.
                    let own = move |at: &Instant| {
                        at.plus_micros(i64::from(step) * MICROS_PER_DAY / 2).civil().year()
                            == year.civil().year()
                    };
                    days.clone().map(move |day| year.plus_micros(day)).filter(own)
                };
                years.flat_map(of_year).collect()
            }
            Self::Mjd(step) => {
                let epoch = MJD_OF_1970 * MICROS_PER_DAY;
                let from = (range.start().as_micros() + epoch).div_euclid(step);
                let to = (range.stop().as_micros() + epoch).div_euclid(step);
                (from..=to).map(|at| Instant::from_micros(at * step - epoch)).collect()
            }
        };
        all.retain(|at| range.start() <= *at && *at <= range.stop());
        all
    }

    fn label(self, at: Instant) -> String {
        let t = at.civil();
        match self {
            Self::Micros(step) if step < MICROS_PER_SECOND => {
                // As many decimals as the step has.
                let decimals = (0..6).find(|digits| step % 10_i64.pow(6 - digits) == 0).unwrap_or(6);
                let fraction = format!("{:06}", t.nanosecond() / 1000);
                let fraction = &fraction[..decimals as usize];
                format!("{:02}:{:02}:{:02}.{fraction}", t.hour(), t.minute(), t.second())
            }
            Self::Micros(step) if step < MINUTE => {
                format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
            }
            Self::Micros(step) if step < MICROS_PER_DAY => format!("{:02}:{:02}", t.hour(), t.minute()),
            Self::Micros(_) | Self::DayOfMonth(_) => format!("{} {}", month_name(t.month0()), t.day()),
            Self::Months(_) => month_name(t.month0()).to_owned(),
            Self::Years(_) => format!("{:04}", t.year()),
            Self::DayOfYear(_) => format!("{:03}", t.ordinal()),
            Self::Mjd(step) => {
                let decimals =
                    (0..6).find(|digits| step % (MICROS_PER_DAY / 10_i64.pow(*digits)) == 0).unwrap_or(6);
                format!("{:.*}", decimals as usize, mjd(at))
            }
        }
    }

    fn context(self, at: Instant, clock: Clock) -> Option<String> {
        let t = at.civil();
        match self {
            Self::Micros(step) if step < MICROS_PER_DAY && clock == Clock::DayOfYear => {
                Some(format!("{:04}:{:03}", t.year(), t.ordinal()))
            }
            Self::Micros(step) if step < MICROS_PER_DAY => Some(t.date_naive().to_string()),
            Self::Years(_) | Self::Mjd(_) => None,
            _ => Some(format!("{:04}", t.year())),
        }
    }
}

/// Months since year 0.
fn month_number(t: chrono::DateTime<chrono::Utc>) -> i32 {
    t.year() * 12 + t.month0() as i32
}

fn date(month: i32, day: u32) -> Option<Instant> {
    Instant::from_date(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, day, 0)
}

fn month_name(month0: u32) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[month0 as usize]
}

/// The ticks of `range` on an axis of `length` pixels, where `width` measures a text and neighbours keep `space` pixels
/// between their labels.
pub(crate) fn ticks(
    range: TimeRange,
    clock: Clock,
    length: f64,
    space: f64,
    width: impl Fn(&str) -> f64,
) -> Vec<Tick> {
    let fits = |step: &Step| {
        let most = length / (width(&step.label(range.start())) + space);
        range.micros() as f64 / step.micros() as f64 <= most.max(1.0)
    };
    let Some(step) = ladder(clock).into_iter().find(fits) else { return Vec::new() };
    let instants = step.instants(range);
    let position =
        |at: Instant| (at.as_micros() - range.start().as_micros()) as f64 / range.micros() as f64 * length;
    let mut ticks: Vec<Tick> = instants
        .into_iter()
        .map(|at| Tick { at, label: step.label(at), context: step.context(at, clock) })
        .collect();
    let mut taken = f64::NEG_INFINITY;
    ticks.retain(|tick| {
        let (middle, half) = (position(tick.at), width(&tick.label) / 2.0);
        let is_free = middle - half >= taken;
        taken = if is_free { middle + half } else { taken };
        is_free
    });
    for at in (1..ticks.len()).rev() {
        if ticks[at].context == ticks[at - 1].context {
            ticks[at].context = None;
        }
    }
    // A change is worth more than where the axis began.
    let mut free_from = f64::NEG_INFINITY;
    let mut keep = |tick: &mut Tick| {
        let Some(context) = &tick.context else { return };
        let half = f64::midpoint(width(context), space);
        let middle = position(tick.at);
        if middle - half < free_from {
            tick.context = None;
        } else {
            free_from = middle + half;
        }
    };
    ticks.iter_mut().skip(1).for_each(&mut keep);
    let first_change = ticks.iter().skip(1).find_map(|tick| Some((tick.at, width(tick.context.as_ref()?))));
    if let (Some((at, other)), Some(first)) = (first_change, ticks.first_mut())
        && let Some(context) = &first.context
        && position(first.at) + f64::midpoint(width(context), other) + space / 2.0 > position(at)
    {
        first.context = None;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;
    use edb_core::parse_instant;

    fn range(start: &str, stop: &str) -> TimeRange {
        let at = |text| parse_instant(text, Instant::from_micros(0)).expect("a time");
        TimeRange::new(at(start), at(stop)).expect("a range")
    }

    fn on_screen(range: TimeRange) -> Vec<Tick> {
        ticks(range, Clock::Utc, 1400.0, 24.0, |text| text.chars().count() as f64 * 8.0)
    }

    #[test]
    fn steps_are_round_in_the_unit_that_suits_the_span() {
        for (start, stop, first, second) in [
            ("2022-02-02T22:24:58Z", "2022-02-02T22:25:00Z", "22:24:58.0", "22:24:58.2"),
            ("2022-02-02T22:24:58.1Z", "2022-02-02T22:24:58.102Z", "22:24:58.1000", "22:24:58.1002"),
            ("2022-02-02T22:24:58Z", "2022-02-02T22:25:58Z", "22:25:00", "22:25:05"),
            ("2022-02-02T22:24:58Z", "2022-02-02T22:40:00Z", "22:25", "22:26"),
            ("2022-02-02T22:24:58Z", "2022-02-03T22:24:58Z", "00:00", "02:00"),
            ("2022-02-02T12:00:00Z", "2022-02-05T12:00:00Z", "12:00", "18:00"),
            ("2022-02-02T12:00:00Z", "2022-02-16T12:00:00Z", "Feb 3", "Feb 4"),
            ("2022-01-20T00:00:00Z", "2022-02-20T00:00:00Z", "Jan 20", "Jan 22"),
            ("2022-01-20T00:00:00Z", "2022-05-10T00:00:00Z", "Jan 22", "Feb 1"),
            ("2021-12-25T00:00:00Z", "2024-12-25T00:00:00Z", "Jan", "Apr"),
            ("1999-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2000", "2002"),
            ("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "0500", "1000"),
        ] {
            let ticks = on_screen(range(start, stop));
            let labels: Vec<_> = ticks.iter().take(2).map(|tick| tick.label.as_str()).collect();
            assert_eq!(labels, [first, second], "{start}/{stop}");
        }
    }

    #[test]
    fn the_date_stands_at_the_first_tick_and_where_it_changes() {
        let ticks = on_screen(range("2022-02-02T12:00:00Z", "2022-02-04T12:00:00Z"));
        let dates: Vec<_> =
            ticks.iter().filter_map(|tick| Some((tick.label.as_str(), tick.context.as_deref()?))).collect();
        assert_eq!(dates, [("12:00", "2022-02-02"), ("00:00", "2022-02-03"), ("00:00", "2022-02-04")]);
    }

    #[test]
    fn days_of_the_year_and_julian_dates_are_as_round() {
        let labels = |clock: Clock, start: &str, stop: &str| {
            let ticks =
                ticks(range(start, stop), clock, 900.0, 24.0, |text| text.chars().count() as f64 * 8.0);
            ticks
                .into_iter()
                .map(|tick| tick.label + &tick.context.map_or(String::new(), |text| format!(" {text}")))
                .collect::<Vec<_>>()
        };
        let doy = |start, stop| labels(Clock::DayOfYear, start, stop);
        assert_eq!(doy("2022-06-01T00:00:00Z", "2022-06-01T06:00:00Z")[..2], ["00:00 2022:152", "00:30"]);
        assert_eq!(doy("2022-06-01T00:00:00Z", "2022-06-30T00:00:00Z")[..3], ["153 2022", "155", "157"]);
        assert_eq!(
            doy("2021-12-01T00:00:00Z", "2022-02-01T00:00:00Z")[4..8],
            ["356", "361", "001 2022", "006"]
        );
        let mjd = |start, stop| labels(Clock::Mjd, start, stop);
        assert_eq!(
            mjd("2022-06-01T00:00:00Z", "2022-06-02T00:00:00Z")[..3],
            ["59731.0", "59731.1", "59731.2"]
        );
        assert_eq!(mjd("2022-06-01T00:00:00Z", "2023-06-02T00:00:00Z")[..2], ["59750", "59800"]);
        assert_eq!(Clock::DayOfYear.moment(Instant::from_micros(0)), "1970:001:00:00:00");
    }

    #[test]
    fn a_date_that_changes_right_after_the_start_is_shown_once() {
        let ticks = on_screen(range("2022-02-02T23:50:00Z", "2022-02-03T02:50:00Z"));
        let dates: Vec<_> =
            ticks.iter().filter_map(|tick| Some((tick.label.as_str(), tick.context.as_deref()?))).collect();
        assert_eq!(dates, [("00:00", "2022-02-03")]);
    }

    #[test]
    fn labels_never_overlap_at_any_span_and_width() {
        let start = Instant::from_micros(1_643_840_698_123_457);
        let mut span = 1;
        while span < 200_000_000_000_000_000 {
            for (length, clock) in [40.0, 200.0, 1400.0]
                .into_iter()
                .flat_map(|length| [Clock::Utc, Clock::DayOfYear, Clock::Mjd].map(|clock| (length, clock)))
            {
                let range = TimeRange::new(start, start.plus_micros(span)).expect("a range");
                let width = |text: &str| text.chars().count() as f64 * 8.0;
                let ticks = ticks(range, clock, length, 10.0, width);
                for pair in ticks.windows(2) {
                    let apart = (pair[1].at.as_micros() - pair[0].at.as_micros()) as f64
                        / range.micros() as f64
                        * length;
                    assert!(
                        apart >= f64::midpoint(width(&pair[0].label), width(&pair[1].label)),
                        "{span} {length} {pair:?}"
                    );
                }
                // An MJD has no more than six decimals.
                let least = if clock == Clock::Mjd { 300_000 } else { 20 };
                assert!(length < 1000.0 || span < least || ticks.len() >= 3, "{span} {clock:?}: {ticks:?}");
            }
            span = span * 3 / 2 + 1;
        }
    }
}
