//! What a user asks for, before it is requests.

use edb_core::{Dictionary, Error, Instant, Mnemonic, Request, Result, TimeRange, parse_instant};

/// One word of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `MNEMONIC@START/STOP`.
    Whole(Request),
    /// A mnemonic, or a pattern with `*` and `?` of mnemonics, over the common range.
    Name(String),
}

/// Mnemonics and their ranges: words, and ranges for those that bring none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The words.
    pub terms: Vec<Term>,
    /// The ranges of the words that bring none: each of them has all.
    pub ranges: Vec<TimeRange>,
}

impl Term {
    /// Reads one word.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if it is neither `MNEMONIC@START/STOP`, nor a name, nor a pattern.
    pub fn parse(text: &str, now: Instant) -> Result<Self> {
        if text.contains('@') {
            return Request::parse(text, now).map(Self::Whole);
        }
        // A pattern is a name once its wildcards stand for letters.
        Mnemonic::new(&text.replace(['*', '?'], "X"))?;
        Ok(Self::Name(text.trim().to_ascii_uppercase()))
    }
}

impl Selection {
    /// Whether a dictionary is needed to [`resolve`](Self::resolve) it.
    pub fn has_patterns(&self) -> bool {
        self.terms.iter().any(|term| matches!(term, Term::Name(name) if name.contains(['*', '?'])))
    }

    /// The requests, in the order of the words; a pattern's in the order of the names.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if there is nothing selected or a range is missing;
    /// [`edb_core::ErrorKind::UnknownMnemonic`] if a pattern matches nothing in `dictionary`.
    pub fn resolve(&self, dictionary: &Dictionary) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        for term in &self.terms {
            match term {
                Term::Whole(request) => requests.push(request.clone()),
                Term::Name(name) => {
                    if self.ranges.is_empty() {
                        return Err(Error::usage(format!("no range is given for `{name}`")).with_hint(
                            format!(
                                "write `{name}@START/STOP`, or add `--start` and `--stop`, or an observation"
                            ),
                        ));
                    }
                    let over_ranges = |mnemonic: &Mnemonic| {
                        let mnemonic = mnemonic.clone();
                        self.ranges
                            .iter()
                            .map(move |range| Request { mnemonic: mnemonic.clone(), range: *range })
                    };
                    if name.contains(['*', '?']) {
                        let before = requests.len();
                        let matching = dictionary.matching(name);
                        requests.extend(matching.flat_map(|it| over_ranges(&it.mnemonic)));
                        if requests.len() == before {
                            return Err(Error::new(
                                edb_core::ErrorKind::UnknownMnemonic,
                                format!("no mnemonic matches `{name}`"),
                            )
                            .with_hint("look names up with `edb search`"));
                        }
                    } else {
                        requests.extend(over_ranges(&Mnemonic::new(name)?));
                    }
                }
            }
        }
        if requests.is_empty() {
            return Err(Error::usage("nothing is selected").with_hint(
                "name mnemonics, as in `SA_ZADUCMDX@2022-06-01/2022-06-02`, or a file of them with `--query`",
            ));
        }
        Ok(requests)
    }
}

/// Reads a query file in the form of MAST's `edb_script.py` and of the Portal: `mnemonic,start,stop` on each line. A byte
/// order mark, a header line, blank lines and lines that begin with `#` are passed over.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] with every bad line and its number.
pub fn parse_query(text: &str, now: Instant) -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    let mut faults = Vec::new();
    let mut is_first = true;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        let is_header = std::mem::take(&mut is_first) && fields[0].eq_ignore_ascii_case("mnemonic");
        if is_header {
            continue;
        }
        match query_line(&fields, now) {
            Ok(request) => requests.push(request),
            Err(error) => faults.push(format!("line {}: {}", number + 1, error.chain())),
        }
    }
    match faults.len() {
        0 => Ok(requests),
        count => Err(Error::usage(format!(
            "{count} lines of the query cannot be read: {}",
            faults.join("; ")
        ))
        .with_hint(
            "write `mnemonic,start,stop` on each line, as in `SA_ZADUCMDX,2022-06-01T00:00:00,2022-06-02`",
        )),
    }
}

fn query_line(fields: &[&str], now: Instant) -> Result<Request> {
    let [mnemonic, start, stop] = fields else {
        return Err(Error::usage(format!("expected 3 fields, found {}", fields.len())));
    };
    let range = TimeRange::new(parse_instant(start, now)?, parse_instant(stop, now)?)?;
    Ok(Request { mnemonic: Mnemonic::new(mnemonic)?, range })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        parse_instant("2022-07-01", Instant::MIN).unwrap()
    }

    #[test]
    fn query_files_are_read_with_all_that_people_put_into_them() {
        let text = "\u{feff}Mnemonic,Start,Stop\r\n\r\n# wheels\r\nsa_zaducmdx, 2022-06-01T00:00:00 ,2022-06-01 06:00:00\r\n\
                    \"SA_ZADUCMDY\",2022-06-01,-1d\n";
        let requests = parse_query(text, now()).unwrap();
        assert_eq!(requests[0].file_name(), "SA_ZADUCMDX-20220601T000000-20220601T060000.csv");
        assert_eq!(requests[1].to_string(), "SA_ZADUCMDY@2022-06-01T00:00:00Z/2022-06-30T00:00:00Z");
    }

    #[test]
    fn every_bad_line_is_reported_with_its_number() {
        let text = "SA_X,2022-06-01,2022-06-02\nSA_X,2022-06-02,2022-06-01\n\nmnemonic,start,stop\nSA_X,2022-06-01\n";
        let message = parse_query(text, now()).unwrap_err().to_string();
        assert!(message.contains("3 lines"), "{message}");
        for expected in [
            "line 2: the range 2022-06-02T00:00:00Z/2022-06-01T00:00:00Z is reversed",
            "line 4:",
            "line 5: expected 3 fields, found 2",
        ] {
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn words_resolve_in_order_and_patterns_by_name() {
        let names = ["SA_B", "SA_A", "SB_A"];
        let dictionary = names
            .into_iter()
            .map(|name| edb_core::DictionaryEntry::bare(Mnemonic::new(name).unwrap()))
            .collect();
        let parse = |words: &[&str]| Selection {
            terms: words.iter().map(|word| Term::parse(word, now()).unwrap()).collect(),
            ranges: TimeRange::checked(now().plus_micros(-10), now()).into_iter().collect(),
        };
        let names = |words: &[&str]| -> Vec<String> {
            parse(words)
                .resolve(&dictionary)
                .unwrap()
                .iter()
                .map(|request| request.mnemonic.to_string())
                .collect()
        };
        assert_eq!(names(&["x@2022-06-01/2022-06-02", "sa_*", "SB_A"]), ["X", "SA_A", "SA_B", "SB_A"]);
        assert!(parse(&["Q*"]).resolve(&dictionary).is_err());
        assert!(parse(&[]).resolve(&dictionary).is_err());
        let without_range = Selection { ranges: Vec::new(), ..parse(&["SA_A"]) };
        assert!(without_range.resolve(&dictionary).unwrap_err().hint().unwrap().contains("SA_A@START/STOP"));
        assert!(Term::parse("SA A", now()).is_err());
    }
}
