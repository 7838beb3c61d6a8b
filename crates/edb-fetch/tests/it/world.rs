//! Small archives, quick clients, and what must be true of all that is delivered.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edb_core::{
    Answer, Coverage, DictionaryEntry, Error, Instant, MICROS_PER_SECOND, MemorySource, Mnemonic, Nulls,
    Request, Sample, Samples, SqlType, TextColumn, TimeRange, Values,
};
use edb_fetch::{
    Client, ClientOptions, FlowOptions, Jitter, Retrieval, RetrieveOptions, RetryPolicy, SpeedLimits,
    retrieve,
};

/// 2022-06-01T00:00:00Z.
pub(crate) const BASE: i64 = 1_654_041_600 * SECOND;
pub(crate) const SECOND: i64 = MICROS_PER_SECOND;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const HEADER: &str = "theTime,MJD,euvalue,sqldataType\r\n";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn name(text: &str) -> Mnemonic {
    Mnemonic::new(text).unwrap()
}

/// So long after the beginning of June 2022.
pub(crate) fn at(us: i64) -> Instant {
    Instant::from_micros(BASE + us)
}

pub(crate) fn range(us: Range<i64>) -> TimeRange {
    TimeRange::checked(at(us.start), at(us.end)).unwrap()
}

pub(crate) fn request(mnemonic: &str, us: Range<i64>) -> Request {
    Request { mnemonic: name(mnemonic), range: range(us) }
}

fn samples(sql_type: SqlType, times: &[i64], values: Values) -> Samples {
    let times = times.iter().map(|us| BASE + us).collect();
    Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap().0
}

/// Rows whose values are their numbers.
pub(crate) fn counted(times: &[i64]) -> Samples {
    samples(SqlType::Int, times, Values::Integer((0..times.len() as i64).collect()))
}

/// Rows of text with all that CSV must quote.
pub(crate) fn texts(times: &[i64]) -> Samples {
    let words = ["ON", "a, b", "say \"hi\"", "two\r\nlines", "", "ünï", " blank "];
    let mut column = TextColumn::default();
    (0..times.len()).for_each(|row| column.push(words[row * 5 % 7]));
    samples(SqlType::Varchar, times, Values::Text(column))
}

/// One row each `step`, `count` of them.
pub(crate) fn every(step_us: i64, count: i64) -> Samples {
    counted(&(0..count).map(|row| row * step_us).collect::<Vec<_>>())
}

pub(crate) fn archive<'a>(series: impl IntoIterator<Item = (&'a str, Samples)>) -> MemorySource {
    let mut archive = MemorySource::new("archive");
    for (mnemonic, samples) in series {
        archive.insert(DictionaryEntry::bare(name(mnemonic)), samples);
    }
    archive
}

/// Tries often and waits for next to nothing.
pub(crate) fn options(url: &str) -> ClientOptions {
    ClientOptions {
        base_url: url.to_owned(),
        connect_timeout: 2000 * MS,
        speed: SpeedLimits { idle_timeout: 5000 * MS, ..SpeedLimits::default() },
        retry: RetryPolicy {
            tries: 4,
            odd_tries: 3,
            shortest_wait: MS,
            longest_wait: 3 * MS,
            longest_time: 20_000 * MS,
            jitter: Jitter::seeded(1),
        },
        ..ClientOptions::default()
    }
}

pub(crate) fn client(url: &str) -> Arc<Client> {
    client_of(&options(url))
}

pub(crate) fn client_of(options: &ClientOptions) -> Arc<Client> {
    Arc::new(Client::new(options).unwrap())
}

/// A client whose service may be silent only so long.
pub(crate) fn impatient(url: &str, idle_timeout: Duration) -> Arc<Client> {
    let mut options = options(url);
    options.speed.idle_timeout = idle_timeout;
    options.retry.tries = 2;
    client_of(&options)
}

pub(crate) fn with_concurrency(url: &str, concurrency: usize) -> ClientOptions {
    ClientOptions { flow: FlowOptions { concurrency, ..FlowOptions::default() }, ..options(url) }
}

pub(crate) fn at_once(concurrency: usize) -> RetrieveOptions {
    RetrieveOptions { concurrency, ..RetrieveOptions::default() }
}

/// All that was delivered, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<Answer>>>);

impl Kept {
    pub(crate) fn deliver(&self) -> impl Fn(Answer) -> edb_core::Result<()> + Send + Sync + 'static {
        let kept = Arc::clone(&self.0);
        move |answer| {
            kept.lock().unwrap().push(answer);
            Ok(())
        }
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.0.lock().unwrap().clone()
    }

    /// All that is proven of a mnemonic.
    pub(crate) fn proven(&self, mnemonic: &Mnemonic) -> Coverage {
        let answers = self.answers();
        answers
            .iter()
            .filter(|answer| answer.mnemonic == *mnemonic)
            .filter_map(|answer| answer.proven)
            .collect()
    }

    /// What a store would say of `range`: for every instant the newest answer that proves it speaks.
    pub(crate) fn read(&self, mnemonic: &Mnemonic, range: TimeRange) -> Vec<Sample> {
        let mut spoken = Coverage::new();
        let mut parts = Vec::new();
        for answer in self.answers().iter().rev().filter(|answer| answer.mnemonic == *mnemonic) {
            let Some(proven) = answer.proven else { continue };
            for part in spoken.gaps(proven) {
                parts.push((part, rows(&answer.samples, part)));
            }
            spoken.insert(proven);
        }
        parts.sort_by_key(|(part, _)| *part);
        parts.into_iter().flat_map(|(_, rows)| rows).filter(|sample| range.contains(sample.time)).collect()
    }
}

pub(crate) fn rows(samples: &Samples, range: TimeRange) -> Vec<Sample> {
    samples.slice(samples.rows_in(range)).iter().collect()
}

pub(crate) async fn run(
    client: &Arc<Client>,
    requests: &[Request],
    options: &RetrieveOptions,
) -> (Retrieval, Kept) {
    let kept = Kept::default();
    let source: Arc<Client> = Arc::clone(client);
    let retrieving = retrieve(source, requests, options, kept.deliver(), |_| ());
    let retrieval = tokio::time::timeout(30_000 * MS, retrieving).await.expect("it ends").unwrap();
    (retrieval, kept)
}

/// Nothing is claimed that is not true, whatever is missing.
pub(crate) fn assert_true(kept: &Kept, archive: &MemorySource, context: &str) {
    for answer in kept.answers() {
        let Some(proven) = answer.proven else {
            assert!(answer.samples.is_empty(), "{context}: samples without proof");
            continue;
        };
        let truth = archive.samples(&answer.mnemonic).map_or(Vec::new(), |all| rows(all, proven));
        let found: Vec<Sample> = answer.samples.iter().collect();
        assert_eq!(found, truth, "{context}: {} proven in {proven}", answer.mnemonic);
    }
}

/// Every instant that was requested is proven, or beyond an end that is one, or listed as a failure; and what is proven is
/// the truth.
pub(crate) fn assert_accounted(
    retrieval: &Retrieval,
    kept: &Kept,
    archive: &MemorySource,
    requests: &[Request],
    context: &str,
) {
    assert_true(kept, archive, context);
    for (mnemonic, end) in &retrieval.ends {
        let last = archive.samples(mnemonic).and_then(|all| all.times().last().copied());
        let requested = requests.iter().filter(|request| request.mnemonic == *mnemonic);
        let hidden = requested.filter_map(|request| {
            let beyond =
                TimeRange::checked(request.range.start().max(end.plus_micros(1)), request.range.stop())?;
            archive.samples(mnemonic).and_then(|all| rows(all, beyond).into_iter().next())
        });
        let hidden: Vec<Sample> = hidden.collect();
        assert!(
            hidden.is_empty(),
            "{context}: {mnemonic} ends at {end} in truth {last:?}, not before {hidden:?}"
        );
    }
    for (mnemonic, begin) in &retrieval.begins {
        let before = TimeRange::checked(Instant::MIN, *begin).unwrap();
        let hidden = archive.samples(mnemonic).map_or(0, |all| all.rows_in(before).len());
        assert_eq!(hidden, 0, "{context}: {mnemonic} does not begin at {begin}");
    }
    for request in requests {
        let mut settled = kept.proven(&request.mnemonic);
        for failure in retrieval.failures.iter().filter(|failure| failure.wanted.mnemonic == request.mnemonic)
        {
            settled.insert(failure.wanted.range);
        }
        for (_, end) in retrieval.ends.iter().filter(|(mnemonic, _)| *mnemonic == request.mnemonic) {
            settled.insert(TimeRange::checked(end.plus_micros(1), Instant::MAX).unwrap());
        }
        for (_, begin) in retrieval.begins.iter().filter(|(mnemonic, _)| *mnemonic == request.mnemonic) {
            settled.insert(TimeRange::checked(Instant::MIN, *begin).unwrap());
        }
        let gaps = settled.gaps(request.range);
        assert!(gaps.is_empty(), "{context}: nobody speaks for {gaps:?} of {request}, {retrieval:?}");
    }
}

/// As [`assert_accounted`], and nothing failed: every sample is there.
pub(crate) fn assert_complete(
    retrieval: &Retrieval,
    kept: &Kept,
    archive: &MemorySource,
    requests: &[Request],
    context: &str,
) {
    assert!(retrieval.failures.is_empty(), "{context}: {:?}", retrieval.failures);
    assert_accounted(retrieval, kept, archive, requests, context);
    for request in requests {
        let truth = archive.samples(&request.mnemonic).map_or(Vec::new(), |all| rows(all, request.range));
        assert_eq!(kept.read(&request.mnemonic, request.range), truth, "{context}: {request}");
    }
}

/// The error of asking for one day of `M`.
pub(crate) async fn refused(client: &Client) -> Error {
    use edb_core::Source as _;
    client.answer(&name("M"), range(0..DAY)).await.unwrap_err()
}

/// splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        (self.next() % limit.max(1) as u64) as i64
    }
}
