//! What is retrieved in windows, in parallel and in parts is what one look at the archive finds.

use std::sync::Arc;

use edb::{
    Archive, ArchiveOptions, DiskStore, ErrorKind, Instant, MemoryStore, NoticeKind, Source, TimeRange,
};
use edb_testkit::{Reply, ScriptedServer};

use crate::world::{archive, at, client, name, request, serve};

fn now() -> Instant {
    at("2022-07-01")
}

async fn over_http(words: &[&str]) -> edb::Retrieved {
    let url = serve(Arc::new(archive())).await;
    let archive = Archive::new(Some(client(&url)), Arc::new(MemoryStore::new()), ArchiveOptions::default());
    let requests: Vec<_> = words.iter().map(|word| request(word)).collect();
    archive.retrieve(&requests, now(), |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_join_without_a_seam() {
    let words =
        ["TICKS@2022-06-01T10:00:00.5/2022-06-03T20:00:03.25", "MESSAGES@2022-06-01T12:00/2022-06-03T00:00"];
    let retrieved = over_http(&words).await;
    assert_eq!(retrieved.answers(), 6, "a probe and the rest, twice; and one question about the open end");
    for series in &retrieved.series {
        let truth = archive().samples(series.mnemonic()).unwrap().clone().cut(series.range);
        assert_eq!(series.samples, truth, "{}", series.mnemonic());
    }
    let words: Vec<String> =
        retrieved.series[1].samples.iter().map(|sample| sample.value.to_string()).collect();
    assert_eq!(words, ["before", "at midnight", "also at midnight, \"second\"", "third", "noon"]);
    assert!(retrieved.series[0].unknown().is_empty());
    assert_eq!(retrieved.series[0].leading.as_ref().unwrap().time, at("2022-06-01T09:59:54"));
    // Before the first message and after the last one nothing is known: the archive may hold more than it answered.
    let unknown =
        [("2022-06-01T12:00", "2022-06-01T23:59:59.5"), ("2022-06-02T12:00:00.000001", "2022-06-03")];
    let unknown = unknown.map(|(start, stop)| TimeRange::new(at(start), at(stop)).unwrap());
    assert_eq!(retrieved.series[1].unknown(), unknown);
    assert_eq!(
        retrieved.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(),
        [NoticeKind::ArchiveBegin, NoticeKind::ArchiveEnd]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_cut_anywhere_is_the_whole_range() {
    let url = serve(Arc::new(archive())).await;
    let whole = request("TICKS@2022-06-01T00:00:03/2022-06-01T00:01:00");
    let truth = archive().samples(&name("TICKS")).unwrap().clone().cut(whole.range);
    for cut in [
        "2022-06-01T00:00:07",
        "2022-06-01T00:00:07.000001",
        "2022-06-01T00:00:30.5",
        "2022-06-01T00:00:59.9",
    ] {
        let archive =
            Archive::new(Some(client(&url)), Arc::new(MemoryStore::new()), ArchiveOptions::default());
        for part in [format!("TICKS@2022-06-01T00:00:03/{cut}"), format!("TICKS@{cut}/2022-06-01T00:01:00")] {
            archive.retrieve(&[request(&part)], now(), |_| {}).await.unwrap();
        }
        let read = archive.retrieve(std::slice::from_ref(&whole), now(), |_| {}).await.unwrap();
        assert_eq!((read.answers(), &read.series[0].samples), (0, &truth), "{cut}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_cut_between_rows_is_found_out_and_completed() {
    // The service caps every answer at a hundred rows and says nothing, as it does when it fails silently.
    let server = ScriptedServer::start(|asked| {
        let Some(file) = asked.file() else {
            return Reply::new(200, "application/json", br#"{"data":[{"tlmMnemonic":"TICKS"}]}"#);
        };
        let asked = edb::Request::from_file_name(&file).unwrap();
        let rows = archive().rows(&asked.mnemonic, asked.range.start(), asked.range.stop());
        let count = rows.len().min(100);
        Reply::csv(&edb::wire::encode(&rows.slice(0..count)))
    });
    let whole = request("TICKS@2022-06-01T01:00/2022-06-01T02:00");
    let archive_of =
        Archive::new(Some(client(&server.url())), Arc::new(MemoryStore::new()), ArchiveOptions::default());
    let read = archive_of.retrieve(std::slice::from_ref(&whole), now(), |_| {}).await.unwrap();
    let truth = archive().samples(&name("TICKS")).unwrap().clone().cut(whole.range);
    assert_eq!(read.series[0].samples, truth);
    assert!(read.series[0].unknown().is_empty() && read.answers() > 5);
    assert_eq!(read.rows_fetched(), truth.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_archive_is_not_recorded_as_covered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DiskStore::open_or_create(&folder.path().join("store")).unwrap());
    let url = serve(Arc::new(archive())).await;
    let beyond = request("TICKS@2022-06-03T23:00/2022-06-04T06:00");
    let archive_of = Archive::new(Some(client(&url)), store, ArchiveOptions::default());
    let first = archive_of.retrieve(std::slice::from_ref(&beyond), now(), |_| {}).await.unwrap();
    assert_eq!(first.answers(), 2, "one follow-up of the open end");
    let last = *archive().samples(&name("TICKS")).unwrap().times().last().unwrap();
    assert_eq!(first.series[0].samples.times().last(), Some(&last));
    assert_eq!(first.series[0].unknown()[0].start().as_micros(), last + 1);
    let again = archive_of.retrieve(&[beyond], now(), |_| {}).await.unwrap();
    assert!(again.answers() > 0, "what is not proven is asked again");
    assert_eq!(again.series[0].samples, first.series[0].samples);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_mnemonics_are_refused_with_the_nearest_names() {
    let url = serve(Arc::new(archive())).await;
    let archive_of =
        Archive::new(Some(client(&url)), Arc::new(MemoryStore::new()), ArchiveOptions::default());
    let error =
        archive_of.retrieve(&[request("TICK@2022-06-01/2022-06-02")], now(), |_| {}).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::UnknownMnemonic, Some("for `TICK` try TICKS")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_in_memory_answers_as_one_over_http() {
    let url = serve(Arc::new(archive())).await;
    let (memory, http) = (archive(), client(&url));
    for word in [
        "TICKS@2022-06-01T10:00/2022-06-01T11:00",
        "MESSAGES@2022-06-02/2022-06-03",
        "NOBODY@2022-06-02/2022-06-03",
        "TICKS@2022-05-01/2022-05-02",
    ] {
        let asked = request(word);
        let ours = memory.answer(&asked.mnemonic, asked.range).await.unwrap();
        assert_eq!(http.answer(&asked.mnemonic, asked.range).await.unwrap(), ours, "{word}");
    }
    assert_eq!(http.dictionary(None).await.unwrap(), memory.dictionary(None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_with_a_hole_does_not_serve_the_hole_as_silence() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DiskStore::open_or_create(folder.path()).unwrap());
    let options = ArchiveOptions::default;
    let filling = Archive::new(Some(Arc::new(archive())), store.clone(), options());
    let parts =
        ["TICKS@2022-06-01T06:00/2022-06-01T06:30", "TICKS@2022-06-01T09:00/2022-06-01T09:30"].map(request);
    filling.retrieve(&parts, now(), |_| {}).await.unwrap();

    let url = serve(store).await;
    let downstream = Archive::new(Some(client(&url)), Arc::new(MemoryStore::new()), options());
    let read = downstream.retrieve(&parts, now(), |_| {}).await.unwrap();
    assert!(read.failures.is_empty() && read.series.iter().all(|series| series.unknown().is_empty()));

    let across = downstream
        .retrieve(&[request("TICKS@2022-06-01T06:10/2022-06-01T09:10")], now(), |_| {})
        .await
        .unwrap();
    let failure = across.failures[0].error.chain();
    assert!(failure.contains("416: the store does not know TICKS in 2022-06-01T06:30"), "{failure}");

    let before = request("TICKS@2022-06-01T05:00/2022-06-01T06:10");
    let head = downstream.retrieve(std::slice::from_ref(&before), now(), |_| {}).await.unwrap();
    let truth = archive().samples(&name("TICKS")).unwrap().clone().cut(before.range);
    let known = head.series[0].known.ranges();
    assert_eq!(known.len(), 1, "before what the store knows nothing is claimed");
    assert_eq!(head.series[0].samples, truth.cut(known[0]));
    assert!(head.series[0].unknown()[0].start() == before.range.start());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_refusal_every_window_is_accounted_for() {
    let server = ScriptedServer::start(|asked| {
        if asked.path.contains("Download") {
            return Reply::status(401);
        }
        Reply::new(200, "application/json", br#"{"data":[{"tlmMnemonic":"TICKS"}]}"#)
    });
    let options = ArchiveOptions { concurrency: 1, ..ArchiveOptions::default() };
    let archive_of = Archive::new(Some(client(&server.url())), Arc::new(MemoryStore::new()), options);
    let read = archive_of.retrieve(&[request("TICKS@2022-06-01/2022-06-08")], now(), |_| {}).await.unwrap();
    let tries: Vec<u32> = read.failures.iter().map(|failure| failure.error.tries()).collect();
    assert_eq!(tries, [1, 0], "one hour was asked for, and the rest of the week was not");
    let spans = read.failures.iter().map(|failure| failure.wanted.range.micros());
    assert_eq!(spans.sum::<i64>(), 7 * edb::MICROS_PER_DAY);
    assert!(server.requests().iter().filter(|head| head.contains("Download")).count() <= 2);
    let cause = read.or_cause().unwrap_err();
    assert_eq!(cause.kind(), ErrorKind::Unauthorized);
    assert!(cause.chain().contains("answered 401"), "{}", cause.chain());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_goes_back_loses_nothing_and_asks_for_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DiskStore::open_or_create(&folder.path().join("store")).unwrap());
    let memory = archive();
    let archive_of =
        Archive::new(Some(client(&serve(Arc::new(archive())).await)), store, ArchiveOptions::default());
    let parts =
        ["TICKS@2022-06-01T06:00/2022-06-01T09:00", "TICKS@2022-06-01T06:00/2022-06-01T12:00"].map(request);
    // The second run believes it is three weeks before the first, and sees ranges that "are" younger than the settled past.
    for (part, now, answers) in [
        (&parts[0], "2022-06-25", 1),
        (&parts[1], "2022-06-02", 1),
        (&parts[1], "2022-06-02", 0),
        (&parts[1], "2022-07-01", 1),
    ] {
        let read = archive_of.retrieve(std::slice::from_ref(part), at(now), |_| {}).await.unwrap();
        let truth = memory.samples(&name("TICKS")).unwrap().clone().cut(part.range);
        assert_eq!((&read.series[0].samples, read.answers()), (&truth, answers), "at {now}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_were_revised_and_gaps_that_were_filled_are_seen_once_the_range_has_settled() {
    // The service sends every second row with another value at first, and all of them as they are a month later.
    let whole = archive();
    let ticks = whole.samples(&name("TICKS")).unwrap().clone();
    let (rows, is_late) = (ticks.clone(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let seen = Arc::clone(&is_late);
    let server = ScriptedServer::start(move |asked| {
        let Some(file) = asked.file() else {
            return Reply::new(200, "application/json", br#"{"data":[{"tlmMnemonic":"TICKS"}]}"#);
        };
        let range = edb::Request::from_file_name(&file).unwrap().range;
        let is_late = seen.load(std::sync::atomic::Ordering::SeqCst);
        let mut text = String::from("theTime,MJD,euvalue,sqldataType\r\n");
        for (at, sample) in rows.iter().enumerate() {
            let near = sample.time >= range.start().plus_micros(-14_000_000)
                && sample.time <= range.stop().plus_micros(14_000_000);
            if near && (is_late || at % 2 == 0) {
                let value = if is_late { at } else { at + 1000 };
                let (time, mjd) = (sample.time.to_edb_text(), sample.time.to_mjd_text());
                text.extend([&time, ",", &mjd, ",", &value.to_string(), ",int\r\n"]);
            }
        }
        Reply::csv(text.as_bytes())
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DiskStore::open_or_create(&folder.path().join("store")).unwrap());
    let archive_of = Archive::new(Some(client(&server.url())), store, ArchiveOptions::default());
    let hour = request("TICKS@2022-06-01T06:00/2022-06-01T07:00");
    let read = async |now: &str| {
        archive_of
            .retrieve(std::slice::from_ref(&hour), at(now), |_| {})
            .await
            .unwrap()
            .series
            .remove(0)
            .samples
    };
    let truth = ticks.cut(hour.range);
    let early = read("2022-06-02").await;
    assert_eq!(early.len(), truth.len().div_ceil(2));
    is_late.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(read("2022-06-03").await, early, "as long as it may still change, once is enough");
    assert_eq!(read("2022-07-01").await, truth, "and once it has settled it is asked for again");
}
