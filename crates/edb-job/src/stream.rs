//! Tables that are made while samples pass, so that memory is bounded however many there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use edb::export::FileOptions;
use edb::frame::{self, Preparation, Resampler, Table};
use edb::{
    Coverage, DictionaryEntry, Error, ErrorKind, Exposures, Fetched, Mnemonic, Notice, Result, Series,
    TimeRange,
};

use crate::destination::{Destination, Writing};
use crate::job::{Job, Output, Resolved, Shape, TableShape};
use crate::make::{Made, blocking, places};
use crate::report::SeriesReport;
use crate::run::{add, described, of_data, provenance};
use crate::service_csv::ServiceCsv;
use crate::tally::Tally;

/// About as many samples are read at once, of all mnemonics together: 16 bytes each. Fewer would have the store decode the same pages again and
/// again, since each mnemonic would have a small part of one.
const WINDOW_ROWS: usize = 1 << 23;
/// About as many of them are made a table at once, which takes four times as much for each.
const TABLE_ROWS: usize = 1 << 18;

/// What is made of passing samples.
enum Passing {
    /// Statistics, one mnemonic after the other.
    Bins { resampler: Resampler, preparation: Preparation, spans: Option<Coverage> },
    /// Every sample, by time.
    Rows(Box<Rows>),
    /// The service's own form.
    Service(ServiceCsv),
}

/// A table of samples that is being written.
struct Rows {
    writing: Writing,
    preparation: Preparation,
    spans: Option<Coverage>,
    exposures: Exposures,
    /// Whether its files are of one mnemonic each: then these pass one after the other.
    is_by_mnemonic: bool,
    /// How the table was made, and what there is to tell.
    made: Vec<(String, String)>,
    notices: Vec<Notice>,
    mnemonics: Vec<DictionaryEntry>,
}

impl Rows {
    /// What files say of themselves that are made of these series.
    fn first(&self, described: &[Series]) -> Result<Table> {
        let mut first = table(described, &self.exposures)?;
        let is_of_these = |mnemonic: &Mnemonic| described.iter().any(|one| one.mnemonic() == mnemonic);
        first.mnemonics =
            self.mnemonics.iter().filter(|entry| is_of_these(&entry.mnemonic)).cloned().collect();
        // What is told of other mnemonics is told in their files.
        let is_of_others = |(key, value): &&(String, String)| {
            let name = value.split('@').next().and_then(|name| Mnemonic::new(name).ok());
            ["selected", "proven", "not known"].contains(&key.as_str())
                && name.is_some_and(|name| self.is_wanted(&name) && !is_of_these(&name))
        };
        first.made = self.made.iter().filter(|fact| !is_of_others(fact)).cloned().collect();
        let is_told = |notice: &&Notice| {
            notice.mnemonic.as_ref().is_none_or(|name| is_of_these(name) || !self.is_wanted(name))
        };
        first.notices = self.notices.iter().filter(is_told).cloned().collect();
        Ok(first)
    }

    fn is_wanted(&self, name: &Mnemonic) -> bool {
        self.mnemonics.iter().any(|entry| entry.mnemonic == *name)
    }

    fn add(&mut self, series: &[Series]) -> Result<()> {
        let cut = self.preparation.cut(series, self.spans.as_ref());
        in_parts(&cut, &mut |part| self.writing.add(&table(part, &self.exposures)?))
    }
}

/// The table of every sample.
fn table(series: &[Series], exposures: &Exposures) -> Result<Table> {
    let table = frame::long(series)?;
    if exposures.is_empty() { Ok(table) } else { table.labelled(exposures) }
}

/// Cuts series in time, so that no part has much more than a table's rows, and gives each to `each`.
fn in_parts(series: &[Series], each: &mut dyn FnMut(&[Series]) -> Result<()>) -> Result<()> {
    let rows: usize = series.iter().map(|one| one.samples.len()).sum();
    let hull = series.iter().map(|one| one.range).reduce(TimeRange::hull);
    let Some(hull) = hull.filter(|hull| rows > 2 * TABLE_ROWS && hull.micros() > 1) else {
        return each(series);
    };
    // Samples may be uneven: what is too much then is cut again.
    let step = hull.micros() / (rows / TABLE_ROWS) as i64;
    for window in hull.windows(step.max(1)) {
        let cut = |one: &Series| {
            let range = one.range.intersect(window)?;
            let samples = one.samples.slice(one.samples.rows_in(range));
            Some(Series {
                about: one.about.clone(),
                range,
                samples,
                leading: None,
                trailing: None,
                known: one.known.within(range),
                learned: None,
            })
        };
        in_parts(&series.iter().filter_map(cut).collect::<Vec<_>>(), each)?;
    }
    Ok(())
}

/// Makes all outputs of a job while samples pass.
pub(crate) async fn stream(
    job: &Job,
    resolved: &Resolved,
    fetched: &mut Fetched,
) -> Result<(Vec<SeriesReport>, Vec<Made>)> {
    fetched.outline()?;
    let mut tallies: Vec<Tally> =
        (0..fetched.known().len()).map(|at| Tally::new(fetched.described(at))).collect();
    let needs = job.needs()?;
    let mut serving = Vec::new();
    for at in places(fetched, |name| needs.contains(name)) {
        let series = fetched.read(at).await?;
        tallies[at].add(&series);
        serving.push(series);
    }
    let (mut passing, notices) = begin(job, resolved, fetched, serving).await?;
    fetched.retrieved.notices.extend(notices);
    passing = bins(resolved, fetched, passing, &mut tallies).await?;
    let groups: Vec<Vec<usize>> =
        resolved.wanted.iter().map(|mnemonic| places(fetched, |name| name == mnemonic)).collect();
    for by_mnemonic in [false, true] {
        let is_it = |one: &Passing| match one {
            Passing::Rows(rows) => rows.is_by_mnemonic == by_mnemonic,
            Passing::Service(_) => by_mnemonic,
            Passing::Bins { .. } => false,
        };
        if !passing.iter().any(is_it) {
            continue;
        }
        for group in if by_mnemonic { groups.clone() } else { vec![groups.concat()] } {
            passing = rows(fetched, group, by_mnemonic, passing, &mut tallies).await?;
        }
    }
    let (outputs, asked) = (job.outputs.clone(), resolved.requests.clone());
    let made = blocking(move || {
        let finish = |(one, output): (Passing, &Output)| {
            Ok(match one {
                Passing::Bins { resampler, .. } => Made::Table(Box::new(resampler.finish()?)),
                Passing::Rows(rows) => {
                    let (file, notices) = rows.writing.finish(output.shape.words(), &asked)?;
                    Made::Written(file, notices)
                }
                Passing::Service(csv) => Made::Written(csv.finish(output.shape.words())?, Vec::new()),
            })
        };
        passing.into_iter().zip(&outputs).map(finish).collect::<Result<Vec<_>>>()
    })
    .await?;
    Ok((tallies.iter().map(Tally::report).collect(), made))
}

/// Begins every output. What conditions say is known before the first sample passes, and so are all notices.
async fn begin(
    job: &Job,
    resolved: &Resolved,
    fetched: &Fetched,
    serving: Vec<Series>,
) -> Result<(Vec<Passing>, Vec<Notice>)> {
    let (outputs, is_hashed) = (job.outputs.clone(), job.manifest.is_some());
    let facts = provenance(resolved, fetched);
    let told = of_data(&fetched.retrieved.notices);
    let (exposures, entries) = (resolved.exposures.clone(), described(resolved, fetched));
    let wanted = places(fetched, |name| resolved.wanted.contains(name));
    let series: Vec<Series> = wanted.iter().map(|at| fetched.described(*at)).collect();
    blocking(move || {
        let (mut passing, mut notices) = (Vec::new(), Vec::new());
        for Output { destination, shape, preparation } in outputs {
            let spans = preparation.spans(&serving)?;
            add(&mut notices, &spans.notices);
            let spans = spans.value;
            passing.push(match shape {
                Shape::Table(TableShape::Resampled(options), _) => {
                    Passing::Bins { resampler: Resampler::new(options)?, preparation, spans }
                }
                Shape::Table(TableShape::Long, options) => {
                    let mut first = table(&series, &exposures)?;
                    first.mnemonics.clone_from(&entries);
                    first.made = [facts.clone(), preparation.words()].concat();
                    first.notices = [told.clone(), of_data(&notices)].concat();
                    let options = FileOptions { is_hashed, ..options };
                    let writing = Writing::begin(&destination, options, &first)?;
                    let writing = writing.ok_or_else(|| Error::usage("a table that goes nowhere is not streamed"))?;
                    let is_by_mnemonic = matches!(&destination, Destination::DataSet(_, keys) if keys.contains(&edb::export::PartitionKey::Mnemonic));
                    let exposures = exposures.clone();
                    let Table { made, notices, mnemonics, .. } = first;
                    Passing::Rows(Box::new(Rows { writing, preparation, spans, exposures, is_by_mnemonic, made, notices, mnemonics }))
                }
                Shape::ServiceCsv => Passing::Service(ServiceCsv::begin(&destination, &series, is_hashed)?),
                Shape::Table(..) | Shape::Figure(..) => {
                    return Err(Error::usage("this output cannot be made while samples pass"));
                }
            });
        }
        Ok((passing, notices))
    })
    .await
}

/// The series of one mnemonic at a time, each forgotten when its bins are told.
async fn bins(
    resolved: &Resolved,
    fetched: &mut Fetched,
    mut passing: Vec<Passing>,
    tallies: &mut [Tally],
) -> Result<Vec<Passing>> {
    if !passing.iter().any(|one| matches!(one, Passing::Bins { .. })) {
        return Ok(passing);
    }
    for mnemonic in &resolved.wanted {
        let mut series = Vec::new();
        for at in places(fetched, |name: &Mnemonic| name == mnemonic) {
            let one = fetched.read(at).await?;
            if !tallies[at].has_samples() {
                tallies[at].add(&one);
            }
            series.push(one);
        }
        passing = blocking(move || {
            for one in &mut passing {
                if let Passing::Bins { resampler, preparation, spans } = one {
                    resampler.add(&preparation.cut(&series, spans.as_ref()))?;
                }
            }
            Ok(passing)
        })
        .await?;
    }
    Ok(passing)
}

/// The samples of these requests by time, a window after the other, all on one thread: memory that one thread frees is of no use to another.
async fn rows(
    fetched: &Fetched,
    group: Vec<usize>,
    by_mnemonic: bool,
    mut passing: Vec<Passing>,
    tallies: &mut Vec<Tally>,
) -> Result<Vec<Passing>> {
    let (reader, windows) = (fetched.reader(), fetched.windows(&group, WINDOW_ROWS));
    let described: Vec<Series> = group.iter().map(|at| fetched.described(*at)).collect();
    let mut counted = std::mem::take(tallies);
    let stop = StopOnDrop::default();
    let is_stopped = Arc::clone(&stop.0);
    let work = blocking(move || {
        let untold: Vec<bool> = group.iter().map(|at| !counted[*at].has_samples()).collect();
        for one in &mut passing {
            if let Passing::Rows(rows) = one
                && rows.is_by_mnemonic
                && by_mnemonic
            {
                let first = rows.first(&described)?;
                rows.writing.continue_as(&first)?;
            }
        }
        for window in windows {
            if is_stopped.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted, "nobody waits for the table any more"));
            }
            let mut series = Vec::new();
            for (at, is_untold) in group.iter().zip(&untold) {
                if let Some(one) = reader.read_in(*at, window)? {
                    if *is_untold {
                        counted[*at].add(&one);
                    }
                    series.push(one);
                }
            }
            for one in &mut passing {
                match one {
                    Passing::Rows(rows) if rows.is_by_mnemonic == by_mnemonic => rows.add(&series)?,
                    Passing::Service(csv) if by_mnemonic => csv.add(&series)?,
                    _ => {}
                }
            }
        }
        Ok((passing, counted))
    });
    let (passing, counted) = work.await?;
    *tallies = counted;
    Ok(passing)
}

/// Tells work on another thread that it is not waited for any more: it then ends, and removes what it has not finished.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
