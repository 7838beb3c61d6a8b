//! What a user asks for, and the names that say it.

use std::fmt;

use crate::{Error, Instant, Mnemonic, Result, TimeRange, parse_instant};

/// One mnemonic over one range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Whose samples.
    pub mnemonic: Mnemonic,
    /// When.
    pub range: TimeRange,
}

impl Request {
    /// Reads `MNEMONIC@START/STOP`, times in any form of [`parse_instant`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if the text has another form, or the range is empty or reversed.
    pub fn parse(text: &str, now: Instant) -> Result<Self> {
        let fail = || {
            Error::usage(format!("could not read `{text}` as a selection"))
                .with_hint("write MNEMONIC@START/STOP, as in `SA_ZADUCMDX@2022-06-01/2022-06-02`")
        };
        let (mnemonic, range) = text.split_once('@').ok_or_else(fail)?;
        let (start, stop) = range.split_once('/').ok_or_else(fail)?;
        let range = TimeRange::new(parse_instant(start, now)?, parse_instant(stop, now)?)?;
        Ok(Self { mnemonic: Mnemonic::new(mnemonic)?, range })
    }

    /// The service's file name for this request: `MNEMONIC-YYYYMMDDTHHMMSS-YYYYMMDDTHHMMSS.csv`, the start floored and
    /// the stop raised to whole seconds.
    pub fn file_name(&self) -> String {
        let range = self.range.to_whole_seconds();
        format!("{}-{}-{}.csv", self.mnemonic, range.start().to_compact(), range.stop().to_compact())
    }

    /// Reads a service file name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if the name has another form, or its range is empty or reversed.
    pub fn from_file_name(name: &str) -> Result<Self> {
        let fail = || {
            Error::usage(format!("could not read `{name}` as a file name of the service")).with_hint(
                "write MNEMONIC-YYYYMMDDTHHMMSS-YYYYMMDDTHHMMSS.csv, as in \
                 `SA_ZADUCMDX-20220601T000000-20220601T060000.csv`",
            )
        };
        let stem = name.strip_suffix(".csv").ok_or_else(fail)?;
        let mut parts = stem.splitn(3, '-');
        let (Some(mnemonic), Some(start), Some(stop)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(fail());
        };
        let instant = |text: &str| {
            let compact = text.len() == 15 && text.as_bytes()[8] == b'T';
            parse_instant(text, Instant::MIN).ok().filter(|_| compact).ok_or_else(fail)
        };
        let range = TimeRange::new(instant(start)?, instant(stop)?)
            .map_err(|error| error.while_doing(format!("could not use the file name `{name}`")))?;
        Ok(Self { mnemonic: Mnemonic::new(mnemonic).map_err(|_| fail())?, range })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.mnemonic, self.range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = "SA_ZADUCMDX-20220601T000000-20220601T060000.csv";

    #[test]
    fn file_names_round_trip() {
        let request = Request::from_file_name(DEFAULT).unwrap();
        assert_eq!(request.file_name(), DEFAULT);
        assert_eq!(request.to_string(), "SA_ZADUCMDX@2022-06-01T00:00:00Z/2022-06-01T06:00:00Z");
        assert_eq!(Request::parse(&request.to_string(), Instant::MIN).unwrap(), request);
    }

    #[test]
    fn file_names_floor_the_start_and_ceil_the_stop() {
        let request =
            Request::parse("M@2022-06-01T00:00:00.9Z/2022-06-01T00:00:02.188Z", Instant::MIN).unwrap();
        assert_eq!(request.file_name(), "M-20220601T000000-20220601T000003.csv");
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "SA_ZADUCMDX.csv",
            "SA_ZADUCMDX-20220601T000000.csv",
            "SA_ZADUCMDX-20220601-20220602.csv",
            "SA_ZADUCMDX-20220601T000000-20220601T060000.txt",
            "SA_ZADUCMDX-20220601T060000-20220601T000000.csv",
            "../X-20220601T000000-20220601T060000.csv",
            "SA_ZADUCMDX-20220631T000000-20220701T060000.csv",
        ] {
            assert!(Request::from_file_name(name).is_err(), "{name}");
        }
        for text in ["SA_ZADUCMDX", "X@2022-06-01", "X@2022-06-02/2022-06-01", "@2022-06-01/2022-06-02"] {
            assert!(Request::parse(text, Instant::MIN).is_err(), "{text}");
        }
    }
}
