//! Random archives, random requests, random faults: whatever the service does, what is delivered is the truth, and what is
//! not delivered is said to be missing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use edb_core::{MemorySource, Mnemonic, Request, Samples};
use edb_fetch::{FlowOptions, Retrieval};
use edb_testkit::{Asked, Reply, ScriptedServer, Service};

use crate::world::{
    DAY, HOUR, Kept, MINUTE, MS, Random, SECOND, archive, assert_accounted, at_once, client_of, counted,
    name, options, request, rows, run, texts,
};

const SCHEDULES: u64 = 320;
const SPAN: i64 = 2 * DAY;
const NAMES: [&str; 5] = ["COUNTS", "TEXTS", "SPARSE", "BURSTS", "NOBODY"];

fn sorted(mut times: Vec<i64>) -> Vec<i64> {
    times.sort_unstable();
    times
}

/// Times all over the span, some of them twice or three times.
fn scattered(random: &mut Random, count: i64) -> Vec<i64> {
    let mut times = Vec::new();
    for _ in 0..count {
        let time = random.below(SPAN);
        (0..=random.below(12) / 10).for_each(|_| times.push(time));
    }
    sorted(times)
}

/// Rows each 64 ms or so, here and there.
fn bursts(random: &mut Random) -> Vec<i64> {
    let mut times = Vec::new();
    for _ in 0..=random.below(4) {
        let start = random.below(SPAN);
        let step = 64_000 << random.below(6);
        times.extend((0..random.below(120)).map(|row| start + row * step));
    }
    sorted(times)
}

fn random_archive(random: &mut Random) -> MemorySource {
    let regular = (0..60).map(|row| row * (1 + random.below(2)) * HOUR / 2 + 64_000).collect();
    let (many, few) = (random.below(80), random.below(4));
    let counts = if random.below(2) == 0 { sorted(regular) } else { scattered(random, many) };
    let series: [(&str, Samples); 4] = [
        (NAMES[0], counted(&counts)),
        (NAMES[1], texts(&scattered(random, 40))),
        (NAMES[2], counted(&scattered(random, few))),
        (NAMES[3], counted(&bursts(random))),
    ];
    archive(series)
}

/// Ranges at borders of microseconds, seconds and samples.
fn random_requests(random: &mut Random, archive: &MemorySource) -> Vec<Request> {
    let mut requests = Vec::new();
    for _ in 0..=random.below(5) {
        let mnemonic = NAMES[random.below(5) as usize];
        let start = match random.below(4) {
            0 => random.below(SPAN),
            1 => random.below(48) * HOUR,
            2 => -random.below(DAY),
            _ => {
                archive.samples(&name(mnemonic)).and_then(|all| all.times().first().copied()).unwrap_or(0)
                    - crate::world::BASE
            }
        };
        let length = [1, SECOND, MINUTE, HOUR, DAY, SPAN, 40 * DAY][random.below(7) as usize];
        requests.push(request(mnemonic, start..start + 1 + random.below(length)));
    }
    requests
}

/// What went wrong, for whoever reads of a failure.
#[derive(Default)]
struct Faults {
    lied_about: HashSet<Mnemonic>,
    log: Vec<String>,
}

/// The answer, or what becomes of it.
///
/// A body that seems whole and is not is a lie that shows only when it is contradicted: there is one for each mnemonic, as
/// two that agree are what is taken for the truth.
fn fault(
    asked: &Asked,
    service: &Service,
    archive: &MemorySource,
    random: &mut Random,
    faults: &mut Faults,
) -> Reply {
    let whole = service.reply(asked);
    let mnemonic = asked.file().and_then(|file| Some(Request::from_file_name(&file).ok()?.mnemonic));
    let mut may_lie = || mnemonic.clone().is_some_and(|mnemonic| faults.lied_about.insert(mnemonic));
    let bytes = random.below(2500) as usize;
    let kind = random.below(60);
    let (what, reply) = match kind {
        0..3 => ("500", Reply::status(500)),
        3..6 => ("503", Reply::status(503).header("Retry-After", "0")),
        6..9 => ("hang up", Reply::hang_up()),
        9..12 => ("short", whole.cut(bytes)),
        12..15 => ("short chunked", whole.chunked().cut(bytes)),
        15..18 if may_lie() => ("short to the end", whole.close_delimited().cut(bytes)),
        18..21 => ("reset", whole.reset_after(bytes)),
        21 if random.below(6) == 0 => ("stall", whole.stall_after(bytes)),
        22 => ("page", Reply::new(200, "text/html", b"<html>maintenance</html>")),
        23..26 if may_lie() => ("cap", cap(asked, archive, random)),
        26..32 => ("gzip", whole.gzip()),
        32..34 => ("short gzip", whole.gzip_cut(bytes / 8)),
        34 if random.below(4) == 0 => ("404", Reply::status(404)),
        35..38 => ("429", Reply::status(429)),
        _ => ("", whole),
    };
    if !what.is_empty() {
        faults.log.push(format!("{} {:?}: {what} {bytes}", asked.number, asked.file()));
    }
    reply
}

/// The first rows of the answer, as if they were all.
fn cap(asked: &Asked, archive: &MemorySource, random: &mut Random) -> Reply {
    Service::new(archive.clone()).capped(1 + random.below(20) as usize).reply(asked)
}

/// Runs one schedule; what became of it.
async fn play(seed: u64) -> Retrieval {
    let mut random = Random(seed);
    let archive = random_archive(&mut random);
    let requests = random_requests(&mut random, &archive);
    let concurrency = 1 + random.below(6) as usize;
    let faults = Arc::new(Mutex::new((Random(seed ^ 0xFA17), Faults::default())));
    let (service, truth, shared) = (Service::new(archive.clone()), archive.clone(), Arc::clone(&faults));
    let server = ScriptedServer::start(move |asked| {
        let mut guard = shared.lock().unwrap();
        let (random, faults) = &mut *guard;
        fault(asked, &service, &truth, random, faults)
    });
    let mut options = options(&server.url());
    options.retry.jitter = edb_fetch::Jitter::seeded(seed);
    options.flow = FlowOptions { concurrency, ..FlowOptions::default() };
    options.speed.idle_timeout = 200 * MS;
    let client = client_of(&options);
    let (retrieval, kept) = run(&client, &requests, &at_once(concurrency)).await;
    let log = faults.lock().unwrap().1.log.join("\n");
    let context = format!("seed {seed}, {requests:?}\n{log}\n");
    assert_accounted(&retrieval, &kept, &archive, &requests, &context);
    assert_told(&retrieval, &kept, &archive, &requests, &context);
    retrieval
}

/// What a store reads is the truth wherever something is proven, and nowhere else.
fn assert_told(
    retrieval: &Retrieval,
    kept: &Kept,
    archive: &MemorySource,
    requests: &[Request],
    context: &str,
) {
    for request in requests {
        let truth = archive.samples(&request.mnemonic).map_or(Vec::new(), |all| rows(all, request.range));
        let proven = kept.proven(&request.mnemonic);
        let proven: Vec<_> = truth
            .iter()
            .filter(|sample| proven.ranges().iter().any(|range| range.contains(sample.time)))
            .cloned()
            .collect();
        assert_eq!(kept.read(&request.mnemonic, request.range), proven, "{context}: {request}");
        let has_failed = retrieval.failures.iter().any(|failure| failure.wanted.mnemonic == request.mnemonic);
        assert!(
            has_failed || proven.len() == truth.len(),
            "{context}: {request} lacks samples and nobody says so"
        );
    }
}

async fn all(seeds: impl Iterator<Item = u64>) -> (usize, usize) {
    let (mut whole, mut partial) = (0, 0);
    for seed in seeds {
        match play(seed).await.failures.len() {
            0 => whole += 1,
            _ => partial += 1,
        }
    }
    (whole, partial)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_service_does_what_is_delivered_is_the_truth_and_the_rest_is_listed() {
    // A failure prints its seed; other schedules are played by naming the first one.
    let first = std::env::var("EDB_FIRST_SCHEDULE").map_or(20_221_225, |text| text.parse().unwrap());
    let (whole, partial) = all(first..first + SCHEDULES).await;
    assert!(whole > partial, "{whole} of {SCHEDULES} from {first} on were whole: most faults pass");
}
