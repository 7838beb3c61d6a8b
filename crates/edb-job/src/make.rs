//! Series to tables and figures.

use edb::frame::{self, Preparation, Table};
use edb::{Coverage, Error, ErrorKind, Exposures, Fetched, Instant, Mnemonic, Notice, Result, Series};

use crate::draw::{Drawn, draw};
use crate::figure::{Figure, PanelPlan};
use crate::job::{Job, Output, Resolved, Shape, TableShape};
use crate::report::{FileReport, SeriesReport};
use crate::run::{of_data, provenance, sources};
use crate::stream::stream;
use crate::tally::Tally;

/// What is made for an output.
pub(crate) enum Made {
    Table(Box<Table>),
    Figure(Drawn),
    /// A table that is on disk already, and what its format could not say.
    Written(FileReport, Vec<Notice>),
}

/// What the outputs of a job come to, and what there is to tell of each request.
pub(crate) async fn make(
    job: &Job,
    resolved: &Resolved,
    fetched: &mut Fetched,
    now: Instant,
) -> Result<(Vec<SeriesReport>, Vec<Made>)> {
    if job.is_streamed() {
        stream(job, resolved, fetched).await
    } else {
        collect(job, resolved, fetched, now).await
    }
}

/// Polars and compression block; the runtime's workers are for the network.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Unclassified, "could not make the tables").caused_by(error))?
}

/// All series at once, prepared for each output.
async fn collect(
    job: &Job,
    resolved: &Resolved,
    fetched: &mut Fetched,
    now: Instant,
) -> Result<(Vec<SeriesReport>, Vec<Made>)> {
    let mut series = Vec::new();
    for at in 0..fetched.known().len() {
        series.push(fetched.read(at).await?);
    }
    let report = |(at, series): (usize, &Series)| {
        let mut tally = Tally::new(fetched.described(at));
        tally.add(series);
        tally.report()
    };
    let reports = series.iter().enumerate().map(report).collect();
    let facts = provenance(resolved, fetched);
    let footer = format!(
        "{} · source: {} · drawn on {}",
        facts[0].1,
        sources(&fetched.retrieved),
        now.civil().date_naive()
    );
    let told = of_data(&fetched.retrieved.notices);
    let (outputs, resolved) = (job.outputs.clone(), resolved.clone());
    let (made, notices) = blocking(move || {
        let mut notices = Vec::new();
        let mut made = Vec::new();
        for Output { shape, preparation, .. } in &outputs {
            made.push(match shape {
                Shape::Table(shape, _) => {
                    let all = Fetch {
                        series: &series,
                        wanted: &resolved.wanted,
                        exposures: &resolved.exposures,
                        told: &told,
                    };
                    Made::Table(Box::new(all.table(shape, preparation, &mut notices)?))
                }
                Shape::ServiceCsv => {
                    return Err(Error::usage("the service's form goes with no figures and no other tables")
                        .with_hint("export it by itself"));
                }
                Shape::Figure(figure) => {
                    let figure = signed(figure, &facts, &footer);
                    Made::Figure(draw(&figure, &series, &resolved.wanted, &mut notices)?)
                }
            });
        }
        Ok((made, notices))
    })
    .await?;
    fetched.retrieved.notices.extend(notices);
    Ok((reports, made))
}

/// Where the requests are for mnemonics of a kind.
pub(crate) fn places(fetched: &Fetched, is_one: impl Fn(&Mnemonic) -> bool) -> Vec<usize> {
    let known = fetched.known().iter().enumerate();
    known.filter(|(_, (request, _))| is_one(&request.mnemonic)).map(|(at, _)| at).collect()
}

/// What was fetched, and what of it is wanted for itself.
struct Fetch<'a> {
    series: &'a [Series],
    wanted: &'a [Mnemonic],
    exposures: &'a Exposures,
    told: &'a [Notice],
}

impl Fetch<'_> {
    fn table(
        &self,
        shape: &TableShape,
        preparation: &Preparation,
        notices: &mut Vec<Notice>,
    ) -> Result<Table> {
        // The event log and intervals are made of what was fetched, all others of what is left of it.
        match shape {
            TableShape::Visits => return frame::events::visits(self.series),
            TableShape::Activities => return frame::events::activities(self.series),
            TableShape::Messages => return frame::events::messages(self.series),
            TableShape::Intervals => return self.intervals(preparation, notices),
            _ => {}
        }
        let prepared = preparation.apply(self.series, |name| self.wanted.contains(name))?;
        for notice in prepared.notices {
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        let series = &prepared.value;
        match shape {
            TableShape::Aligned(options) => frame::align(series, options),
            TableShape::Resampled(options) => frame::resample(series, options),
            TableShape::States(options) => frame::states(series, options),
            TableShape::Duty(options) => frame::duty(series, options),
            TableShape::Flaws(options) => frame::flaws(series, options, self.told),
            TableShape::Cadences => frame::cadences(series),
            _ => {
                let table = frame::long(series)?;
                if self.exposures.is_empty() { Ok(table) } else { table.labelled(self.exposures) }
            }
        }
    }

    fn intervals(&self, preparation: &Preparation, notices: &mut Vec<Notice>) -> Result<Table> {
        let mut all = self.series.to_vec();
        all.append(&mut preparation.derived(self.series)?.value);
        let spans = preparation.spans(&all)?;
        notices.extend(spans.notices);
        // Margins may reach beyond what was asked.
        let asked: Coverage = self.series.iter().map(|one| one.range).collect();
        let spans = spans.value.unwrap_or_default();
        let spans = spans.intersect(&asked);
        let what = preparation.condition.as_ref().map(|condition| condition.expression.to_string());
        frame::span_table(&spans, &what.unwrap_or_default())
    }
}

/// A figure that says where its data are from and what was done to them.
fn signed(figure: &Figure, facts: &[(String, String)], footer: &str) -> Figure {
    let mut figure = figure.clone();
    let mut done: Vec<(String, String)> =
        figure.panels.iter().flat_map(|panel| panel.preparation.words()).collect();
    done.dedup();
    let lines: Vec<String> =
        facts.iter().chain(&done).map(|(key, value)| format!("{key}: {value}")).collect();
    figure.options.description = lines.join("\n");
    // A condition of all panels is part of what the figure shows; others have headings.
    let condition =
        |panel: &PanelPlan| panel.preparation.condition.as_ref().map(|one| one.expression.to_string());
    let mut conditions: Vec<Option<String>> = figure.panels.iter().map(condition).collect();
    conditions.dedup();
    figure.options.footer = match conditions.as_slice() {
        [Some(only)] => format!("where {only} · {footer}"),
        _ => footer.to_owned(),
    };
    figure
}
