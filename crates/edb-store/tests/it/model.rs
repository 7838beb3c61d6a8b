//! Random histories of a store against a model of one.

use std::collections::BTreeMap;

use edb_core::{Coverage, Sample, TimeRange};
use edb_store::{DiskStore, Store};
use proptest::prelude::*;

use crate::world::{all_samples, archive, archive_of, name, range, samples, whole};

#[derive(Debug, Clone)]
enum Step {
    /// Asks an archive that may have changed since, later or at the same time as before.
    Fetch {
        range: TimeRange,
        is_later: bool,
        is_young: bool,
    },
    /// The archive has other samples from now on.
    Revise(Vec<i64>),
    Remove(TimeRange),
    Compact,
}

fn ranges() -> impl Strategy<Value = TimeRange> {
    (0_i64..100, 1_i64..50).prop_map(|(start, length)| range(start, start + length))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (ranges(), any::<bool>(), proptest::bool::weighted(0.3))
            .prop_map(|(range, is_later, is_young)| Step::Fetch { range, is_later, is_young }),
        1 => proptest::collection::vec(0_i64..150, 0..40).prop_map(Step::Revise),
        1 => ranges().prop_map(Step::Remove),
        1 => Just(Step::Compact),
    ];
    proptest::collection::vec(step, 1..14)
}

/// What is known, instant by instant.
#[derive(Default)]
struct Model {
    known: Coverage,
    samples: BTreeMap<i64, Vec<Sample>>,
}

impl Model {
    fn forget(&mut self, range: TimeRange) {
        self.samples.retain(|time, _| !range.contains(edb_core::Instant::from_micros(*time)));
        self.known = self.known.without(&[range].into_iter().collect());
    }

    fn learn(&mut self, range: TimeRange, samples: impl Iterator<Item = Sample>) {
        self.forget(range);
        self.known.insert(range);
        for sample in samples {
            self.samples.entry(sample.time.as_micros()).or_default().push(sample);
        }
    }

    fn all(&self) -> Vec<Sample> {
        self.samples.values().flatten().cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn any_history_leaves_what_the_model_says(mut first in proptest::collection::vec(0_i64..150, 0..40), steps in steps()) {
        first.sort_unstable();
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::open_or_create(folder.path()).unwrap();
        let mut truth = archive(&first);
        let mut model = Model::default();
        let mut clock = 1000;
        for step in steps {
            match step {
                Step::Fetch { range, is_later, is_young } => {
                    clock += i64::from(is_later);
                    let mut segment = whole(&truth, range, clock);
                    segment.about.header.provisional = is_young;
                    segment.about.sources = vec![format!("source {}", clock % 3)];
                    model.learn(range, segment.samples.iter());
                    store.commit(segment).unwrap();
                }
                Step::Revise(mut times) => {
                    times.sort_unstable();
                    truth = archive_of(samples(&times));
                    // What is fetched at one time is the same.
                    clock += 1;
                }
                Step::Remove(range) => {
                    model.forget(range);
                    store.remove(&name(), Some(range)).unwrap();
                }
                Step::Compact => {
                    store.compact(&name()).unwrap();
                }
            }
            prop_assert_eq!(&store.known(&name()).unwrap(), &model.known);
            // Our reader finds it, and so does one that reads all files.
            let reading = store.read(&name(), range(-10, 1000)).unwrap();
            prop_assert_eq!(reading.samples.iter().collect::<Vec<_>>(), model.all());
            prop_assert_eq!(all_samples(&store), model.all());
            let outline = store.outline(&name(), range(-10, 1000)).unwrap();
            let counted: f64 = outline.counts.iter().map(|(_, rows)| rows).sum();
            prop_assert!(counted >= 0.0 && (model.all().is_empty() || counted > 0.0), "{} of {}", counted, model.all().len());
            // Brackets skip no sample that is known. (They may be newer than what is known at their time, and tell more.)
            let all = model.all();
            for start in (0..160).step_by(11) {
                let reading = store.read(&name(), range(start, start + 5)).unwrap();
                let outline = store.outline(&name(), range(start, start + 5)).unwrap();
                prop_assert_eq!(outline.sources, reading.sources);
                if let Some(leading) = reading.leading {
                    let last = all.iter().rfind(|sample| sample.time.as_micros() < start);
                    prop_assert!(last.is_none_or(|last| last.time <= leading.time), "{:?} {:?}", last, leading);
                }
                if let Some(trailing) = reading.trailing {
                    let first = all.iter().find(|sample| sample.time.as_micros() >= start + 5);
                    prop_assert!(first.is_none_or(|first| first.time >= trailing.time), "{:?} {:?}", first, trailing);
                }
            }
            let verified = store.verify(&name()).unwrap();
            prop_assert!(verified.damaged.is_empty() && verified.superseded == 0 && verified.left.is_empty());
        }
    }
}
